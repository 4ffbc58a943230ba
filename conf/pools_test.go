package conf

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadPools(t *testing.T) {
	path := write(t, "fairscheduler.xml", `<?xml version="1.0"?>
<allocations>
  <pool name="streams"><schedulingMode>FAIR</schedulingMode><weight>2</weight><minShare>1</minShare></pool>
  <pool name="batch"/>
</allocations>`)
	c, err := Load(Source{Set: []string{"spark.scheduler.allocation.file=" + path, "neptune.scheduling.mode=FAIR"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]FairPool{"streams": {2, 1, true}, "batch": {1, 0, false}}
	if !reflect.DeepEqual(c.Pools, want) || c.Mode != "fair" {
		t.Errorf("got %v, mode %s", c.Pools, c.Mode)
	}
	for text, want := range map[string]string{
		"<allocations><pool name='a'><weight>0</weight></pool></allocations>":                  `weight "0"`,
		"<allocations><pool name='a'><schedulingMode>NO</schedulingMode></pool></allocations>": `"NO" is neither`,
		"<allocations><pool/></allocations>":                                                   "no name",
		"<pools/>":                                                                             "allocation file",
		"<allocations><pool name='a'><minShare>two</minShare></pool></allocations>":            `minShare "two"`,
	} {
		if _, err := ReadPools(write(t, "x.xml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadPools("/does/not/exist.xml"); err == nil {
		t.Error("a file that isn't there was read")
	}
}

func TestFractions(t *testing.T) {
	for _, v := range []string{"1.5", "-1", "x", "NaN"} {
		if _, err := Load(Source{Set: []string{"neptune.batch.minShare=" + v}}); err == nil {
			t.Errorf("%s was taken", v)
		}
	}
}
