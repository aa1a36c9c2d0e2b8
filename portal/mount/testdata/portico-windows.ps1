#Requires -RunAsAdministrator
# For Windows' own WebDAV client, on all of this computer. Run it in a PowerShell of an administrator:
#   powershell -ExecutionPolicy Bypass -File .\portico-windows.ps1
$ErrorActionPreference = 'Stop'
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\WebClient\Parameters'
# The largest file that it takes: 4 GB less one byte, the most there is. Windows comes with 50000000.
New-ItemProperty -Path $key -Name FileSizeLimitInBytes -PropertyType DWord -Value ([Convert]::ToInt32('ffffffff', 16)) -Force | Out-Null
# The longest listing of a folder, in bytes. Windows comes with 1000000.
New-ItemProperty -Path $key -Name FileAttributesLimitInBytes -PropertyType DWord -Value ([Convert]::ToInt32('01312d00', 16)) -Force | Out-Null
# The client reads them when it starts. Drives that are open are closed by it.
Set-Service -Name WebClient -StartupType Automatic
Restart-Service -Name WebClient -Force
Get-ItemProperty -Path $key | Select-Object FileSizeLimitInBytes, FileAttributesLimitInBytes
