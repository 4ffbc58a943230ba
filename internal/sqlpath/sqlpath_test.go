package sqlpath

import "testing"

func TestParse(t *testing.T) {
	list, ok := Parse(" Spark_Catalog.`s``.b` , current_database,DEFAULT_PATH, `path`")
	if !ok || len(list) != 4 {
		t.Fatal(list, ok)
	}
	if list[0].Word != None || Name(list[0].Parts) != "Spark_Catalog.`s``.b`" || list[1].Word != Current || list[2].Word != Default || list[3].Word != None {
		t.Error(list)
	}
	for _, bad := range []string{"", "a.", "a b", "a,,b", "'a'", "`a"} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}
