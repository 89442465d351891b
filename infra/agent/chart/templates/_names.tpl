{{- define "drawbridge.labels" -}}
app.kubernetes.io/name: drawbridge-agent
app.kubernetes.io/part-of: drawbridge
{{- end }}

{{- define "drawbridge.trustRoot" -}}
{{ required "trustRoot: give the text of the trust root, as --set-file trustRoot=trust-root.json" .Values.trustRoot }}
{{- end }}

{{- define "drawbridge.trustRootName" -}}
drawbridge-trust-root-{{ include "drawbridge.trustRoot" . | sha256sum | trunc 10 }}
{{- end }}

{{- define "drawbridge.subjects" -}}
- kind: ServiceAccount
  name: drawbridge-agent
  namespace: {{ .Release.Namespace }}
{{- end }}
