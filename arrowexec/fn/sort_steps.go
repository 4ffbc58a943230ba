package fn

import "slices"

// sortRun is how many rows are sorted in one go, mergeStep how many are merged
// between two yield points.
const (
	sortRun   = 256
	mergeStep = 2048
)

// sortSteps sorts row numbers, stably, with yield points.
func sortSteps(idx []int32, cmp func(x, y int32) int, yield func() error) error {
	for from := 0; from < len(idx); from += sortRun {
		slices.SortStableFunc(idx[from:min(len(idx), from+sortRun)], cmp)
		if err := yield(); err != nil {
			return err
		}
	}
	if len(idx) <= sortRun {
		return nil
	}
	src, dst := idx, make([]int32, len(idx))
	for width := sortRun; width < len(idx); width *= 2 {
		done := 0
		for from := 0; from < len(src); from += 2 * width {
			mid, end := min(len(src), from+width), min(len(src), from+2*width)
			i, j := from, mid
			for k := from; k < end; k++ {
				if j >= end || i < mid && cmp(src[i], src[j]) <= 0 {
					dst[k] = src[i]
					i++
				} else {
					dst[k] = src[j]
					j++
				}
				if done++; done%mergeStep == 0 {
					if err := yield(); err != nil {
						return err
					}
				}
			}
		}
		src, dst = dst, src
	}
	if &src[0] != &idx[0] {
		copy(idx, src)
	}
	return nil
}
