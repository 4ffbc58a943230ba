package fn

// ReadsOnly reports whether an accumulator keeps no hold of the vectors that it
// is shown, so that their memory can be used again after Update or Merge.
func ReadsOnly(a Accumulator) bool {
	_, ok := a.(interface{ readsOnly() })
	return ok
}

func (*countAcc) readsOnly()        {}
func (*sumFloatAcc) readsOnly()     {}
func (*sumDecAcc) readsOnly()       {}
func (*momentsAcc) readsOnly()      {}
func (*pairAcc) readsOnly()         {}
func (a *sumIntAcc[T]) readsOnly()  {}
func (a *extremeAcc[T]) readsOnly() {}
func (a *bitAcc[T]) readsOnly()     {}
