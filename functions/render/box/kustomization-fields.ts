/** The fields of a kustomization and of what is in it, for telling which one was meant. Source: sigs.k8s.io/kustomize/api/types. */
export const kustomizationFields: readonly string[] =
  `annotations annotationSelector apiVersion bases behavior buildMetadata commonAnnotations commonLabels components
configMapGenerator configurations count create crds delimiter digest disableNameSuffixHash env envs fieldPath fieldPaths fields
files generatorOptions generators group helmCharts helmGlobals images immutable includeSelectors includeTemplates index kind
labels labelSelector literals metadata name namePrefix nameSuffix namespace newName newTag openapi options order pairs patch
patches patchesJson6902 patchesStrategicMerge path reject replacements replicas resources secretGenerator select sortOptions
source sourceValue tagSuffix target targets transformers type validators vars version`.split(/\s+/)
