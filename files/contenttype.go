package files

import (
	"path"
	"strings"
)

// ContentType is the media type of a name, from a fixed table: a file's bytes
// are never looked at, so that no upload can pass itself off as a page, and a
// listing opens nothing.
func ContentType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	for _, table := range []func(string) string{textType, officeType, mediaType} {
		if t := table(ext); t != "" {
			return t
		}
	}
	return "application/octet-stream"
}

func textType(ext string) string {
	switch ext {
	case ".pdf":
		return "application/pdf"
	case ".txt", ".log", ".md", ".ini", ".yaml", ".yml":
		return "text/plain; charset=utf-8"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".xml":
		return "application/xml"
	case ".json":
		return "application/json"
	case ".eml":
		return "message/rfc822"
	case ".zip":
		return "application/zip"
	case ".7z":
		return "application/x-7z-compressed"
	case ".gz":
		return "application/gzip"
	}
	return ""
}

func officeType(ext string) string {
	const (
		ooxml = "application/vnd.openxmlformats-officedocument."
		odf   = "application/vnd.oasis.opendocument."
	)
	switch ext {
	case ".rtf":
		return "application/rtf"
	case ".doc":
		return "application/msword"
	case ".xls":
		return "application/vnd.ms-excel"
	case ".ppt":
		return "application/vnd.ms-powerpoint"
	case ".docx":
		return ooxml + "wordprocessingml.document"
	case ".xlsx":
		return ooxml + "spreadsheetml.sheet"
	case ".pptx":
		return ooxml + "presentationml.presentation"
	case ".odt":
		return odf + "text"
	case ".ods":
		return odf + "spreadsheet"
	case ".odp":
		return odf + "presentation"
	}
	return ""
}

func mediaType(ext string) string {
	switch ext {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".svg":
		return "image/svg+xml"
	case ".tif", ".tiff":
		return "image/tiff"
	case ".heic":
		return "image/heic"
	case ".mp3":
		return "audio/mpeg"
	case ".m4a":
		return "audio/mp4"
	case ".wav":
		return "audio/wav"
	case ".ogg":
		return "audio/ogg"
	case ".mp4":
		return "video/mp4"
	case ".mov":
		return "video/quicktime"
	case ".webm":
		return "video/webm"
	}
	return ""
}
