{{- define "portico.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "portico.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "portico.labels" -}}
{{ include "portico.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "portico.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "portico.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}{{ include "portico.fullname" . }}
{{- else }}default
{{- end }}
{{- end }}

{{- define "portico.secret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}
{{- else if .Values.secrets }}{{ include "portico.fullname" . }}
{{- end }}
{{- end }}

{{/*
portico.yaml: the values' config, and what the chart alone knows. "${REPLICA}" is
filled in by Portico, from the pod's name.
*/}}
{{- define "portico.config" -}}
{{- $server := dict "listen" "0.0.0.0:8080" "replica" "${REPLICA}" "dangerously_allow_plain_http" true }}
{{- if .Values.metrics.enabled }}
{{- $_ := set $server "metrics_listen" (printf "0.0.0.0:%v" .Values.metrics.port) }}
{{- $_ := set $server "dangerously_allow_open_metrics" true }}
{{- end }}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) (dict "server" $server)) }}
{{- end }}
