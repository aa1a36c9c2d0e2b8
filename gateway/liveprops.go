package gateway

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/files"
)

// liveProp is a property that the server works out. None can be set by a client.
type liveProp struct {
	name string // of DAV:, or with the prefix oc: of ownCloud's namespace
	// named is set for those that are given only when asked for by name: the
	// quotas, as RFC 4331 §2 says, since they may cost a walk; and those that RFC
	// 3253 §3.1.5, RFC 5323 §3.4 and RFC 6578 §4 keep out of allprop.
	named bool
	value appender
	// rights is set for those that are told by what the principal may do.
	rights bool
}

// appender writes a property's content; false if n has no such property.
type appender func(b []byte, p *page, n *files.Node) ([]byte, bool)

// liveProps are all of them. Those of RFC 4918 §15 that are missing have no
// meaning here: getcontentlanguage is a dead property, if a client sets it.
func liveProps() []liveProp {
	return []liveProp{
		{"resourcetype", false, appendResourceType, false},
		{"displayname", false, appendDisplayName, false},
		{"getcontentlength", false, appendContentLength, false},
		{"getlastmodified", false, appendLastModified, false},
		{"creationdate", false, appendCreationDate, false},
		{"getetag", false, appendETag, false},
		{"getcontenttype", false, appendContentType, false},
		{"supportedlock", false, appendSupportedLock, false},
		{"lockdiscovery", false, appendLockDiscovery, false},
		{"quota-available-bytes", true, appendQuotaAvailable, false},
		{"quota-used-bytes", true, appendQuotaUsed, false},
		{"quota", true, appendBlocks, false},
		{"quotaused", true, appendBlocksUsed, false},
		{"lastmodified", true, appendEpoch, false},
		{"iscollection", true, appendIsCollection, false},
		{"ishidden", true, appendIsHidden, false},
		{"isreadonly", true, appendIsReadOnly, true},
		{"owner", true, appendOwner, true},
		{"current-user-privilege-set", true, appendPrivileges, true},
		{"supported-privilege-set", true, appendSupportedPrivileges, false},
		{"acl", true, appendACL, true},
		{"acl-restrictions", true, appendACLRestrictions, false},
		{"principal-collection-set", true, appendNothing, false},
		{"oc:permissions", true, appendPermissions, true},
		{"oc:checksums", true, appendChecksums, false},
		{"oc:size", true, appendContentLength, false},
		{"oc:owner-id", true, appendOwnerLogin, true},
		{"oc:owner-display-name", true, appendOwnerName, true},
		{"sync-token", true, appendSyncToken, false},
		{"supported-report-set", true, appendReports, false},
		{"supported-query-grammar-set", true, appendGrammars, false},
	}
}

// findLive is the live property of a name, nil if there is none.
func findLive(lives []liveProp, n xml.Name) *liveProp {
	if n.Space != davSpace && n.Space != ocSpace {
		return nil
	}
	i := slices.IndexFunc(lives, func(l liveProp) bool { return l.xmlName() == n })
	if i < 0 {
		return nil
	}
	return &lives[i]
}

// xmlName is the name as XML has it.
func (l *liveProp) xmlName() xml.Name {
	if local, ok := strings.CutPrefix(l.name, ocPrefix); ok {
		return xml.Name{Space: ocSpace, Local: local}
	}
	return xml.Name{Space: davSpace, Local: l.name}
}

// appendOpen begins the element. ownCloud's names declare their prefix themselves:
// they are asked for by few, and so cost the others nothing.
func (l *liveProp) appendOpen(b []byte) []byte {
	if strings.HasPrefix(l.name, ocPrefix) {
		return append(append(append(b, '<'), l.name...), ` xmlns:oc="`+ocSpace+`">`...)
	}
	return append(append(append(b, "<D:"...), l.name...), '>')
}

func (l *liveProp) appendClose(b []byte) []byte {
	if strings.HasPrefix(l.name, ocPrefix) {
		return append(append(append(b, "</"...), l.name...), '>')
	}
	return append(append(append(b, "</D:"...), l.name...), '>')
}

// appendResourceType is there for files, too, and empty (RFC 4918 §15.9).
func appendResourceType(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	if n.Dir {
		b = append(b, "<D:collection/>"...)
	}
	return b, true
}

// appendDisplayName gives a workspace its title, which is what Finder and GNOME
// show for it. Else it is the name as the href has it.
func appendDisplayName(b []byte, p *page, n *files.Node) ([]byte, bool) {
	name := n.Title
	if name == "" {
		name = p.q.name(n.Path)
	}
	return appendText(b, name), name != ""
}

// appendContentLength is for files alone: a folder has no length.
func appendContentLength(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return strconv.AppendInt(b, n.Size, 10), !n.Dir
}

// appendLastModified is there for folders, too: clients sort by it
// (golang/go issue 15334).
func appendLastModified(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return n.ModTime.UTC().AppendFormat(b, http.TimeFormat), !n.ModTime.IsZero()
}

// appendCreationDate is in the form of RFC 3339, where getlastmodified is an
// HTTP date (RFC 4918 §15.1, §15.7).
func appendCreationDate(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return n.Created.UTC().AppendFormat(b, time.RFC3339), !n.Created.IsZero()
}

// appendETag gives the very string of the ETag header: davfs2 takes it from
// either, and sends it back in If-Match.
func appendETag(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	b = appendText(append(b, '"'), n.ETag)
	return append(b, '"'), n.ETag != ""
}

// appendContentType comes from the name alone. x/net opens each file of a
// listing to sniff it (golang/go issue 22577).
func appendContentType(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendText(b, n.ContentType), n.ContentType != ""
}

// appendSupportedLock is the same for all. LibreOffice opens a document for
// reading only where it is missing.
func appendSupportedLock(b []byte, _ *page, _ *files.Node) ([]byte, bool) {
	const entry = "</D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
	return append(b, "<D:lockentry><D:lockscope><D:exclusive/>"+entry+"<D:lockentry><D:lockscope><D:shared/>"+entry...), true
}

// appendLockDiscovery names the locks that hold the node, those inherited from
// a folder above included. Without any it is there and empty (RFC 4918 §15.8).
func appendLockDiscovery(b []byte, p *page, n *files.Node) ([]byte, bool) {
	for i := range n.Locks {
		l := &n.Locks[i]
		b = p.q.appendActiveLock(b, l, n.Dir || l.Root != n.Path)
	}
	return b, true
}

// appendQuotaAvailable is the same for all folders of a workspace, and unknown
// at the top, where several workspaces meet.
func appendQuotaAvailable(b []byte, p *page, n *files.Node) ([]byte, bool) {
	return strconv.AppendInt(b, p.quota.Available, 10), n.Dir && !n.Path.IsRoot() && p.quota.Available >= 0
}

// appendQuotaUsed goes with it. macOS and davfs2 make a size up where either is
// missing.
func appendQuotaUsed(b []byte, p *page, n *files.Node) ([]byte, bool) {
	return strconv.AppendInt(b, p.quota.Used, 10), n.Dir && !n.Path.IsRoot() && p.quota.Used >= 0
}

// block is the unit of Apple's own pair, "quota" and "quotaused": its webdavfs takes
// them for numbers of S_BLKSIZE, 512 bytes, of which "quota" is the whole and not what
// is left (mount.tproj/webdav_parse.c, parse_statfs). It asks for them beside the two of
// RFC 4331, in one PROPFIND of Depth 0 for each statfs, and heeds them only where
// quota-available-bytes is missing; its first versions asked for nothing else.
const block = 512

// appendBlocks is rounded as webdavfs rounds the other pair, so that both show one size.
// Without a quota there is no whole, and it is missing, as with the servers that know
// the RFC's pair alone.
func appendBlocks(b []byte, p *page, n *files.Node) ([]byte, bool) {
	whole, _, ok := p.blocks(n)
	return strconv.AppendInt(b, whole, 10), ok
}

func appendBlocksUsed(b []byte, p *page, n *files.Node) ([]byte, bool) {
	_, used, ok := p.blocks(n)
	return strconv.AppendInt(b, used, 10), ok
}

// blocks are the whole of a workspace and what is used of it, so that what is left is
// in whole blocks, too.
func (p *page) blocks(n *files.Node) (whole, used int64, ok bool) {
	if !n.Dir || n.Path.IsRoot() || p.quota.Available < 0 || p.quota.Used < 0 {
		return 0, 0, false
	}
	left := p.quota.Available / block
	whole = left + (p.quota.Used+p.quota.Available%block+block-1)/block
	return whole, whole - left, true
}

// appendActiveLock describes a lock (RFC 4918 §14.1). The token is only in it
// for who holds the lock; to the others the owner is the holder's name.
func (d *drive) appendActiveLock(b []byte, l *files.Lock, dir bool) []byte {
	scope, depth := "exclusive", "0"
	if l.Shared {
		scope = "shared"
	}
	if l.Infinite {
		depth = "infinity"
	}
	b = append(b, "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:"...)
	b = append(append(b, scope...), "/></D:lockscope><D:depth>"...)
	b = append(append(b, depth...), "</D:depth>"...)
	if l.OwnerXML != "" {
		b = append(b, l.OwnerXML...)
	} else {
		b = appendText(append(b, "<D:owner>"...), l.Holder)
		b = append(b, "</D:owner>"...)
	}
	b = append(b, "<D:timeout>Second-"...)
	b = strconv.AppendInt(b, int64(l.Timeout.Round(time.Second)/time.Second), 10)
	b = append(b, "</D:timeout>"...)
	if l.Token != "" {
		b = appendText(append(b, "<D:locktoken><D:href>"...), l.Token)
		b = append(b, "</D:href></D:locktoken>"...)
	}
	b = append(append(b, "<D:lockroot><D:href>"...), d.href(l.Root, dir)...)
	return append(b, "</D:href></D:lockroot></D:activelock>"...)
}
