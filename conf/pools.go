package conf

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
)

// FairPool is a pool of the allocation file.
type FairPool struct {
	Weight   int  // 1 unless the file says otherwise
	MinShare int  // slots, 0 unless the file says otherwise
	Fair     bool // schedulingMode FAIR; else FIFO
}

// ReadPools reads an allocation file in Spark's form (fairscheduler.xml):
//
//	<allocations>
//	  <pool name="streams"><schedulingMode>FAIR</schedulingMode><weight>2</weight><minShare>1</minShare></pool>
//	</allocations>
//
// Unlike there, a value that can't be is an error and not the default.
func ReadPools(path string) (map[string]FairPool, error) {
	raw, err := os.ReadFile(strings.TrimPrefix(path, "file://"))
	if err != nil {
		return nil, fmt.Errorf("allocation file: %w", err)
	}
	var file struct {
		XMLName xml.Name `xml:"allocations"`
		Pools   []struct {
			Name     string `xml:"name,attr"`
			Mode     string `xml:"schedulingMode"`
			Weight   string `xml:"weight"`
			MinShare string `xml:"minShare"`
		} `xml:"pool"`
	}
	if err := xml.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("allocation file %s: %w", path, err)
	}
	pools := map[string]FairPool{}
	for _, p := range file.Pools {
		if p.Name == "" {
			return nil, fmt.Errorf("allocation file %s: a pool has no name", path)
		}
		out := FairPool{Weight: 1}
		switch mode := strings.ToUpper(strings.TrimSpace(p.Mode)); mode {
		case "", "FIFO":
		case "FAIR":
			out.Fair = true
		default:
			return nil, fmt.Errorf("allocation file %s: pool %s: schedulingMode %q is neither FIFO nor FAIR", path, p.Name, mode)
		}
		for _, x := range []struct {
			name, text string
			least      int64
			to         *int
		}{{"weight", p.Weight, 1, &out.Weight}, {"minShare", p.MinShare, 0, &out.MinShare}} {
			if strings.TrimSpace(x.text) == "" {
				continue
			}
			n, err := parseInt(x.text)
			if err != nil || n < x.least || n > 1_000_000 {
				return nil, fmt.Errorf("allocation file %s: pool %s: %s %q is no number from %d on", path, p.Name, x.name, x.text, x.least)
			}
			*x.to = int(n)
		}
		pools[p.Name] = out
	}
	return pools, nil
}
