package files_test

import (
	"io"
	"strings"
	"testing"

	"portico/fault"
	"portico/files"
)

// at is the upload as another process has it.
func (s *sending) at(r *replica) *sending { return &sending{r.as(s.login), s.UploadState} }

func TestUploadInTwoProcesses(t *testing.T) {
	t.Parallel()
	r := replicas(t, 2, nil, options{})
	r[0].seed("root", "/firm/")
	s := r[0].as("ann").begin("/firm/f", ask(4)).add("a").at(r[1]).add("b").at(r[0]).add("c").at(r[1]).add("d")
	s.became("/firm/f", "abcd")
	if st, err := r[0].as("ann").tree().UploadAt(t.Context(), s.ID); err != nil || st.Node == nil {
		t.Errorf("the other process has %+v, %v", st, err)
	}
	r[0].idle()
}

// TestUploadBusyElsewhere lets another process be told that somebody is at it.
func TestUploadBusyElsewhere(t *testing.T) {
	t.Parallel()
	r := replicas(t, 2, nil, options{})
	r[0].seed("root", "/firm/")
	s := r[0].as("ann").begin("/firm/f", ask(2))
	body, pipe := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := s.tree().AppendUpload(s.ctx, s.ID, 0, body, nil)
		done <- err
	}()
	if _, err := pipe.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "the other process", s.at(r[1]).try(strings.NewReader("b")), fault.ErrLocked)

	// The first loses its claim without a word: what it still takes is not kept.
	r[0].steal()
	s.at(r[1]).add("xy").became("/firm/f", "xy")
	_ = pipe.Close()
	if err := <-done; err == nil {
		t.Error("who has lost the upload was told that its bytes count")
	}
	r[1].holds("/firm/f", "xy")
}

// TestUploadKilled kills the process at each call to a store, and lets another go
// on: what was told to be there is there, and the file comes once.
func TestUploadKilled(t *testing.T) {
	t.Parallel()
	for kill := 0; ; kill++ {
		r := replicas(t, 2, nil, options{})
		r[0].seed("root", "/firm/")
		s := r[0].as("ann").begin("/firm/f", ask(4)).add("a")
		calls := 0
		r[0].step = func(string) error {
			if calls++; calls > kill {
				r[0].kill()
			}
			return nil
		}
		err := s.try(strings.NewReader("bcd"))
		r[0].step = nil
		if err == nil {
			if kill < 5 {
				t.Fatalf("only %d calls were made", kill)
			}
			return
		}
		resume(t, r[1], s, kill)
	}
}

// resume goes on in another process, as a client does.
func resume(t *testing.T, r *replica, s *sending, kill int) {
	t.Helper()
	if err := r.svc.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := r.as("ann").tree().UploadAt(t.Context(), s.ID)
	if err != nil {
		t.Fatalf("killed at call %d: %v", kill, err)
	}
	if st.Offset < 1 {
		t.Fatalf("killed at call %d: %d bytes of 1 that was acknowledged", kill, st.Offset)
	}
	s = &sending{r.as("ann"), st}
	if st.Node == nil {
		s.add("abcd"[st.Offset:])
	}
	s.became("/firm/f", "abcd")
	_, list, err := r.as("ann").tree().Find(t.Context(), s.Path.Parent(), true, files.Want{})
	if err != nil || len(list) != 1 {
		t.Errorf("killed at call %d: the folder holds %+v, %v", kill, list, err)
	}
	r.idle()
}
