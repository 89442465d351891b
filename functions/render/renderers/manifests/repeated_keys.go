package manifests

import yamlv3 "go.yaml.in/yaml/v3"

// repeatsKey tells whether a mapping in a document names a key twice. What cannot be read is not told of.
func repeatsKey(document []byte) bool {
	var root yamlv3.Node
	if err := yamlv3.Unmarshal(document, &root); err != nil {
		return true
	}
	return nodeRepeatsKey(&root)
}

func nodeRepeatsKey(node *yamlv3.Node) bool {
	if node.Kind == yamlv3.MappingNode {
		seen := map[string]bool{}
		for index := 0; index < len(node.Content); index += 2 {
			key := node.Content[index]
			if key.Kind == yamlv3.ScalarNode && key.Tag != "!!merge" {
				if seen[key.Value] {
					return true
				}
				seen[key.Value] = true
			}
		}
	}
	for _, child := range node.Content {
		if nodeRepeatsKey(child) {
			return true
		}
	}
	return false
}
