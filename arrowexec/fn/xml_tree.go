package fn

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// xmlNode is an element, an attribute, a text or the document itself (kind 0) of a parsed XML text.
type xmlNode struct {
	kind             byte // 0: document, 'e', 'a', 't', 'c' comment, 'p' processing instruction
	name             string
	text             string // of attributes, texts and comments
	parent           *xmlNode
	kids, attrs      []*xmlNode
	index            int // among its parent's kids or attributes
	innerAt, innerTo int // where an element's content stands in the text
	prefix           string
}

// xmlDeep is how deep elements may be nested.
const xmlDeep = 1000

// parseXML reads a document; ok is false where it isn't well formed. With parts set, prefixes of names must be
// declared.
func parseXML(s []byte, namespaces bool) (*xmlNode, bool) {
	d := xml.NewDecoder(bytes.NewReader(s))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	doc := &xmlNode{}
	at := doc
	scopes := []map[string]bool{{"xml": true, "xmlns": true}}
	depth := 0
	for {
		before := int(d.InputOffset())
		tok, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, false
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth++; depth > xmlDeep || at == doc && at.root() != nil {
				return nil, false
			}
			n := &xmlNode{kind: 'e', name: rawName(t.Name), prefix: t.Name.Space, parent: at, index: len(at.kids), innerAt: int(d.InputOffset())}
			declared := map[string]bool{}
			for k, a := range t.Attr {
				switch {
				case a.Name.Space == "xmlns":
					declared[a.Name.Local] = true
				}
				n.attrs = append(n.attrs, &xmlNode{kind: 'a', name: rawName(a.Name), prefix: a.Name.Space, text: a.Value, parent: n, index: k})
			}
			scopes = append(scopes, declared)
			if namespaces && !inScope(scopes, t.Name.Space) {
				return nil, false
			}
			for _, a := range t.Attr {
				if namespaces && !inScope(scopes, a.Name.Space) {
					return nil, false
				}
			}
			at.kids = append(at.kids, n)
			at = n
		case xml.EndElement:
			if at == doc || at.name != rawName(t.Name) {
				return nil, false
			}
			at.innerTo = before
			at = at.parent
			scopes = scopes[:len(scopes)-1]
			depth--
		case xml.CharData:
			if at == doc {
				if len(bytes.TrimSpace(t)) > 0 {
					return nil, false
				}
				continue
			}
			if n := len(at.kids); n > 0 && at.kids[n-1].kind == 't' {
				at.kids[n-1].text += string(t)
				continue
			}
			at.kids = append(at.kids, &xmlNode{kind: 't', text: string(t), parent: at, index: len(at.kids)})
		case xml.Comment:
			at.kids = append(at.kids, &xmlNode{kind: 'c', text: string(t), parent: at, index: len(at.kids)})
		}
	}
	return doc, at == doc && doc.root() != nil
}

func rawName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

func inScope(scopes []map[string]bool, prefix string) bool {
	if prefix == "" {
		return true
	}
	for i := len(scopes) - 1; i >= 0; i-- {
		if scopes[i][prefix] {
			return true
		}
	}
	return false
}

func (n *xmlNode) root() *xmlNode {
	for _, k := range n.kids {
		if k.kind == 'e' {
			return k
		}
	}
	return nil
}

// value is the text of a node: of elements and the document that of all texts inside.
func (n *xmlNode) value() string {
	switch n.kind {
	case 'a', 't', 'c':
		return n.text
	}
	if len(n.kids) == 1 {
		return n.kids[0].plain()
	}
	var b strings.Builder
	for _, k := range n.kids {
		b.WriteString(k.plain())
	}
	return b.String()
}

func (n *xmlNode) plain() string {
	if n.kind == 'c' {
		return ""
	}
	return n.value()
}

// own is the text that stands in an element itself, and whether it has elements.
func (n *xmlNode) own() (text string, elements bool) {
	for _, k := range n.kids {
		switch k.kind {
		case 't':
			text += k.text
		case 'e':
			elements = true
		}
	}
	return text, elements
}
