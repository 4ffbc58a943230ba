package server

import (
	"github.com/google/uuid"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that this one stands before
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
)

// frame is a response that has been encoded already: result rows go to the
// wire from the buffer that the engine made, without a copy.
type frame struct {
	head []byte // all of the message, but for tail
	tail []byte // the rows, the last field of the message
}

func (f *frame) size() int { return len(f.head) + len(f.tail) }

// codec is the usual one for messages, and passes frames through.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	out := mem.BufferSlice{mem.SliceBuffer(f.head)}
	if len(f.tail) > 0 {
		out = append(out, mem.SliceBuffer(f.tail))
	}
	return out, nil
}

func encode(r *pb.ExecutePlanResponse) (*frame, error) {
	b, err := proto.Marshal(r)
	return &frame{head: b}, err
}

// chunk says which part of a batch a frame carries.
type chunk struct {
	rows, offset int64
	index, count int64 // count 0: not chunked
}

// encodeBatch writes r with an arrow_batch of data as its last field.
func encodeBatch(r *pb.ExecutePlanResponse, c chunk, data []byte) (*frame, error) {
	head, err := proto.Marshal(r)
	if err != nil {
		return nil, err
	}
	// ArrowBatch: row_count 1, data 2, start_offset 3, chunk_index 4, num_chunks_in_batch 5.
	var b []byte
	field := func(n protowire.Number, v int64) {
		b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(v))
	}
	field(1, c.rows)
	field(3, c.offset)
	if c.count > 0 {
		field(4, c.index)
		field(5, c.count)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.BytesType), uint64(len(data)))
	head = protowire.AppendTag(head, 2, protowire.BytesType) // arrow_batch
	head = protowire.AppendVarint(head, uint64(len(b)+len(data)))
	return &frame{head: append(head, b...), tail: data}, nil
}

// responseIDs makes the ids of an execution's responses: UUIDs that hold the
// response's index in their last eight bytes.
type responseIDs [8]byte

func newResponseIDs() (r responseIDs) {
	u := uuid.New()
	copy(r[:], u[:8])
	return r
}

func (r responseIDs) id(index int64) string {
	var u uuid.UUID
	copy(u[:8], r[:])
	for i := range 8 {
		u[15-i] = byte(index >> (8 * i))
	}
	return u.String()
}

// index is the inverse of id; false when the id is of another execution.
func (r responseIDs) index(id string) (int64, bool) {
	u, err := uuid.Parse(id)
	if err != nil || [8]byte(u[:8]) != r {
		return 0, false
	}
	var n int64
	for _, b := range u[8:] {
		n = n<<8 | int64(b)
	}
	return n, n > 0
}
