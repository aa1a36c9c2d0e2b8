package staff_test

import (
	"archive/zip"
	"bytes"
	"slices"
	"testing"

	"portico/files"
)

// What programs keep for themselves is in no list, search, count or archive of a page.
func TestClutterIsNotShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	names := []string{"~$plan.docx", ".~lock.plan.docx#", ".plan.docx.swp", "Thumbs.db", "desktop.ini", "._plan.docx"}
	h.put("/firm/Clients/deep/plan.docx", "plan")
	for _, name := range names {
		h.put("/firm/Clients/deep/"+name, "1")
	}
	for _, name := range append(names, "plan.docx") {
		h.lock("bob", "/firm/Clients/deep/"+name, files.LockOptions{})
	}
	pages := []answer{
		h.get("ann", "/locks/firm/").want(200, "plan.docx"),
		h.get("ann", "/files/firm/Clients/deep/").want(200, "plan.docx"),
		h.get("ann", "/search/firm/?q=plan").want(200, "plan.docx", "1 found"),
	}
	for _, page := range pages {
		for _, name := range names {
			page.lacks(name)
		}
	}
	packed := h.get("ann", "/zip/firm/Clients/deep/").want(200)
	z, err := zip.NewReader(bytes.NewReader(packed.Body.Bytes()), int64(packed.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 2 || z.File[1].Name != "deep/plan.docx" {
		t.Errorf("the archive holds %d things: %v", len(z.File), z.File[0].Name)
	}
}

// A folder of such a name is somebody's, and so is what lies in it.
func TestFoldersOfClutterNamesAreShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/deep/.hidden/plan.docx", "plan")
	h.lock("bob", "/firm/Clients/deep/.hidden", files.LockOptions{Infinite: true})
	h.get("ann", "/locks/firm/").want(200, ".hidden")
	h.get("ann", "/files/firm/Clients/deep/").want(200, ".hidden")
	h.get("ann", "/search/firm/?q=plan").want(200, "plan.docx", "1 found")
	packed := h.get("ann", "/zip/firm/Clients/deep/").want(200)
	z, err := zip.NewReader(bytes.NewReader(packed.Body.Bytes()), int64(packed.Body.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "deep/.hidden/plan.docx" }) {
		t.Errorf("the archive holds %d things, and not what is in the folder", len(z.File))
	}
}
