package mount

import (
	"encoding/binary"
	"net/http"
	"strings"
	"unicode/utf16"
)

// What the two files set. FileSizeLimitInBytes takes 32 bits: no more than this can
// be asked of it. A listing of this server has less than 1,000 bytes for a file.
const (
	registryKey = `SYSTEM\CurrentControlSet\Services\WebClient\Parameters`
	fileLimit   = "ffffffff" // 4,294,967,295 bytes; 50,000,000 as Windows comes
	listLimit   = "01312d00" // 20,000,000 bytes; 1,000,000 as Windows comes
)

// registryFile is for regedit: UTF-16 with a mark of its order, as regedit itself
// writes, since it reads one of version 5.00 in the system's code page otherwise.
func registryFile() []byte {
	text := strings.Join([]string{
		"Windows Registry Editor Version 5.00",
		"",
		"; For Windows' own WebDAV client, on all of this computer. Restart Windows after it.",
		"; FileSizeLimitInBytes: the largest file that it takes, here 4 GB less one byte, the most there is. Windows comes with 50,000,000.",
		"; FileAttributesLimitInBytes: the longest listing of a folder, here 20,000,000 bytes. Windows comes with 1,000,000.",
		"",
		`[HKEY_LOCAL_MACHINE\` + registryKey + "]",
		`"FileSizeLimitInBytes"=dword:` + fileLimit,
		`"FileAttributesLimitInBytes"=dword:` + listLimit,
		"",
	}, "\r\n")
	units := append([]uint16{0xfeff}, utf16.Encode([]rune(text))...)
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// script does the same, and restarts the service. It is ASCII: PowerShell 5 reads
// other files in the system's code page.
func script() []byte {
	return []byte(strings.Join([]string{
		"#Requires -RunAsAdministrator",
		"# For Windows' own WebDAV client, on all of this computer. Run it in a PowerShell of an administrator:",
		"#   powershell -ExecutionPolicy Bypass -File .\\portico-windows.ps1",
		"$ErrorActionPreference = 'Stop'",
		`$key = 'HKLM:\` + registryKey + "'",
		"# The largest file that it takes: 4 GB less one byte, the most there is. Windows comes with 50000000.",
		"New-ItemProperty -Path $key -Name FileSizeLimitInBytes -PropertyType DWord -Value ([Convert]::ToInt32('" + fileLimit + "', 16)) -Force | Out-Null",
		"# The longest listing of a folder, in bytes. Windows comes with 1000000.",
		"New-ItemProperty -Path $key -Name FileAttributesLimitInBytes -PropertyType DWord -Value ([Convert]::ToInt32('" + listLimit + "', 16)) -Force | Out-Null",
		"# The client reads them when it starts. Drives that are open are closed by it.",
		"Set-Service -Name WebClient -StartupType Automatic",
		"Restart-Service -Name WebClient -Force",
		"Get-ItemProperty -Path $key | Select-Object FileSizeLimitInBytes, FileAttributesLimitInBytes",
		"",
	}, "\r\n"))
}

// download gives a file to be saved: no browser runs or shows it.
func download(name string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		_, _ = w.Write(body) // the client may have gone
	}
}
