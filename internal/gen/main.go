// Command gen writes the documents that are made from tables in the code, and
// the Go code of our own protocol.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"neptune/conf"
)

func main() {
	err := os.WriteFile("docs/configuration.md", []byte(conf.Markdown()), 0o644)
	err = errors.Join(err, protocol("scheduler/control/controlpb", "control.proto"))
	if err != nil {
		log.Fatal(err)
	}
}

// protocol compiles a .proto file and has the Go plugins write beside it.
func protocol(dir, name string) error {
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{dir}}, SourceInfoMode: protocompile.SourceInfoStandard}
	files, err := c.Compile(context.Background(), name)
	if err != nil {
		return err
	}
	pkg := path.Join("neptune", filepath.ToSlash(dir))
	req := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{name},
		Parameter: proto.String(fmt.Sprintf("M%s=%s;%s,module=%s", name, pkg, path.Base(pkg), pkg)),
		ProtoFile: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(files.FindFileByPath(name))}}
	raw, err := proto.Marshal(req)
	if err != nil {
		return err
	}
	for _, plugin := range []string{"protoc-gen-go", "protoc-gen-go-grpc"} {
		cmd := exec.Command("go", "tool", plugin)
		cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s: %w", plugin, err)
		}
		res := &pluginpb.CodeGeneratorResponse{}
		if err := proto.Unmarshal(out, res); err != nil {
			return err
		}
		if res.Error != nil {
			return fmt.Errorf("%s: %s", plugin, res.GetError())
		}
		for _, f := range res.File {
			if err := os.WriteFile(filepath.Join(dir, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
