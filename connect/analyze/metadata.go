package analyze

import (
	"slices"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// metadataSource is a source of files: its hidden column _metadata says where
// a row is from. WithMetadata has a column for each field, behind its own.
type metadataSource interface {
	plan.Source
	MetadataFields() []types.Field
	WithMetadata() plan.Source
}

const metadataName = "_metadata"

// hideMetadata puts the hidden column within reach of names. A column of the files that is called so hides it.
func (r *run) hideMetadata(x *rel) *rel {
	rn, ok := x.node.(*plan.Relation)
	if !ok || rn.Streaming {
		return x
	}
	src, ok := rn.Handle.(metadataSource)
	if !ok || len(src.MetadataFields()) == 0 || slices.ContainsFunc(x.out, func(a *plan.Attr) bool { return r.eq(a.Name, metadataName) }) {
		return x
	}
	c := *rn
	c.Metadata = &plan.Attr{ID: plan.NewID(), Name: metadataName, T: types.NewStruct(src.MetadataFields()...)}
	return &rel{node: &c, out: x.out, meta: append(slices.Clone(x.meta), c.Metadata), dfs: x.dfs, leaf: true}
}

// showMetadata makes the hidden column of a relation one of what it puts out.
func showMetadata(n *plan.Relation) plan.Node {
	src := n.Handle.(metadataSource)
	c := *n
	c.Handle, c.Metadata = src.WithMetadata(), nil
	c.Out = slices.Clone(n.Out)
	p := &plan.Project{Child: &c}
	for _, a := range n.Out {
		p.List = append(p.List, a)
	}
	make := &plan.Call{Name: "named_struct", Kind: plan.FnScalar, T: n.Metadata.T}
	for _, f := range src.MetadataFields() {
		a := &plan.Attr{ID: plan.NewID(), Name: metadataName + "." + f.Name, T: f.Type, Null: f.Nullable}
		c.Out = append(c.Out, a)
		make.Args = append(make.Args, &plan.Literal{T: types.StringType, Value: f.Name}, a)
	}
	p.List = append(p.List, &plan.Alias{Child: make, Names: []string{metadataName}, ID: n.Metadata.ID})
	return p
}
