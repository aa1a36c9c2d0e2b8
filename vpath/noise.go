package vpath

import "strings"

// The names of files that programs put beside those of people, for themselves.
// There are two kinds. What macOS writes on a disk that keeps no attributes of its
// own (AppleDouble "._a" beside a, and .DS_Store) nobody else can use. The rest
// are signs and temporary files of programs, which list, lock and rename them as
// files, but which are no documents.

const (
	appleDouble = "._"
	dsStore     = ".DS_Store"
)

// Accompanies tells the thing that a file of macOS goes with: "._a" with a, and
// .DS_Store with its folder. name is the same for no two files of one thing.
func (p Path) Accompanies() (of Path, name string, ok bool) {
	last := p.Name()
	rest, double := strings.CutPrefix(last, appleDouble)
	if p.Depth() < 2 || !double && last != dsStore {
		return Path{}, "", false
	}
	if double && rest != dsStore && !strings.HasPrefix(rest, appleDouble) {
		if of, err := p.Parent().Child(rest); err == nil {
			return of, appleDouble, true
		}
	}
	return p.Parent(), "/" + last, true
}

// IsClutter tells the files that programs make for themselves, and that a page for
// people does not show: see the top of this file. Programs also look for them where
// there are none, at each step.
//
// Neither "folder.jpg" nor "Contents" and "Backups.backupdb" are among them, which
// Explorer and macOS look for: people have files and folders of these names.
func (p Path) IsClutter() bool { return isClutter(p.Name()) }

func isClutter(name string) bool {
	if name == "" || strings.IndexByte(".~tTeEdDmM", name[0]) < 0 {
		return false // this is asked with each look at a file
	}
	name = strings.ToLower(name)
	switch name {
	case "thumbs.db", "ehthumbs.db", "desktop.ini", // Explorer
		"mach_kernel", // macOS
		".hidden":     // macOS, GNOME and KDE
		return true
	}
	return isClutterFolder(name) || strings.HasPrefix(name, ".metadata_never_index") || // macOS
		strings.HasPrefix(name, "~$") || // Office's owner file
		strings.HasPrefix(name, ".~lock.") && strings.HasSuffix(name, "#") || // LibreOffice's
		strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".swp") // vim's
}

// IsClutterFolder tells the clutter that macOS makes as folders, at the top of a disk.
// All other names of clutter are those of files: a folder of such a name is somebody's.
func (p Path) IsClutterFolder() bool { return isClutterFolder(strings.ToLower(p.Name())) }

func isClutterFolder(lower string) bool {
	return lower == ".trashes" || lower == ".fseventsd" || lower == ".temporaryitems" || strings.HasPrefix(lower, ".spotlight-")
}

// IsForPrograms tells the files of both kinds: nothing that people are told, in a
// list, a notice or a mail, speaks of them.
func (p Path) IsForPrograms() bool { return p.Depth() > 1 && IsForPrograms(p.Name()) }

// IsForPrograms is Path.IsForPrograms for the name of a file.
func IsForPrograms(name string) bool {
	return strings.HasPrefix(name, appleDouble) || name == dsStore || isClutter(name)
}
