package throttle

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"portico/identity"
	"portico/store"
)

// keys name the rows that a sign-in touches.
type keys struct {
	account string // failures of strangers
	devices string // begins the keys of all its known devices
	device  string // failures from a known device
	known   string // Until is until when the device is known
	place   string // failures from an address
	shown   string // the address, for the log
}

func keysOf(login identity.Login, address string) keys {
	name := login.Key()
	place := Place(address)
	account := sha256.Sum256([]byte("account\x00" + name))
	device := sha256.Sum256([]byte("device\x00" + name + "\x00" + place))
	pair := hex.EncodeToString(device[:16])
	short := hex.EncodeToString(account[:3])[:5] // 20 bits: see the package's comment
	return keys{
		account: "account:" + short,
		devices: "device:" + short + ":",
		device:  "device:" + short + ":" + pair,
		known:   "known:" + pair,
		place:   signIn.key(address),
		shown:   place,
	}
}

func (k keys) all() []string { return []string{k.account, k.device, k.known, k.place} }

// remember is the row of a known device. Its Until keeps the sweep away from it
// for as long as it is known.
func (k keys) remember(now time.Time) store.Attempts {
	return store.Attempts{Key: k.known, Last: now, Until: now.Add(deviceTerm)}
}

// key is the row of a subject: an address as it is, so that an admin can read it,
// and a hash of anything else.
func (k Kind) key(subject string) string {
	if k != LinkPassword {
		return string(k) + ":" + Place(subject)
	}
	sum := sha256.Sum256([]byte(subject))
	return string(k) + ":" + hex.EncodeToString(sum[:16])
}

// Place is what stands for an address: an IPv4 address alone, however it is
// written, or the IPv6 network of 64 bits, within which a customer of a provider
// has as many addresses as they like. What is no address is one place.
func Place(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	network, err := a.Prefix(bits)
	if err != nil { // cannot be: both lengths fit
		return "unknown"
	}
	return network.String()
}
