package fn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const (
	aesBoth = "`aes_encrypt`/`aes_decrypt`"
	gcmIV   = 12
	cbcIV   = aes.BlockSize
)

// aesCall is the mode, the padding and the optional vectors of a row.
type aesCall struct {
	block   cipher.Block
	mode    string
	iv, aad []byte
}

func aesError(a *Args, cond string, kv ...string) error {
	return errs.New(errs.Runtime, cond, kv...).At(a.pos())
}

func cryptoError(a *Args, err error) error {
	return aesError(a, "INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "parameter", "`expr`, `key`", "functionName", aesBoth, "detailMessage", err.Error())
}

// aesOf reads the arguments after the text: key, mode, padding, and from argument iv on the vectors.
func aesOf(a *Args, i int, encrypt bool) (*aesCall, error) {
	c := &aesCall{mode: "GCM"}
	text := func(k int, or string) string {
		if k < len(a.V) {
			return a.V[k].Str(i)
		}
		return or
	}
	mode, padding := text(2, "GCM"), text(3, "DEFAULT")
	key := a.V[1].Bytes(i)
	if n := len(key); n != 16 && n != 24 && n != 32 {
		return nil, aesError(a, "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "parameter", "`key`", "functionName", aesBoth, "actualLength", strconv.Itoa(n))
	}
	c.mode = strings.ToUpper(mode)
	p := strings.ToUpper(padding)
	switch {
	case c.mode == "ECB" && (p == "PKCS" || p == "DEFAULT"), c.mode == "CBC" && (p == "PKCS" || p == "DEFAULT"), c.mode == "GCM" && (p == "NONE" || p == "DEFAULT"):
	default:
		return nil, aesError(a, "UNSUPPORTED_FEATURE.AES_MODE", "mode", mode, "padding", padding, "functionName", aesBoth)
	}
	at := 4
	if encrypt {
		c.iv = []byte(text(at, ""))
		at++
	}
	c.aad = []byte(text(at, ""))
	if len(c.iv) > 0 {
		need := map[string]int{"CBC": cbcIV, "GCM": gcmIV}[c.mode]
		switch {
		case need == 0:
			return nil, aesError(a, "UNSUPPORTED_FEATURE.AES_MODE_IV", "mode", c.mode, "functionName", "`aes_encrypt`")
		case len(c.iv) != need:
			return nil, aesError(a, "INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "mode", c.mode, "parameter", "`iv`", "functionName", aesBoth, "actualLength", strconv.Itoa(len(c.iv)))
		}
	}
	if len(c.aad) > 0 && c.mode != "GCM" {
		return nil, aesError(a, "UNSUPPORTED_FEATURE.AES_MODE_AAD", "mode", c.mode, "functionName", "`aes_encrypt`")
	}
	var err error
	if c.block, err = aes.NewCipher(key); err != nil {
		return nil, cryptoError(a, err)
	}
	return c, nil
}

func (c *aesCall) encrypt(dst, in []byte) ([]byte, error) {
	switch c.mode {
	case "GCM":
		g, err := cipher.NewGCM(c.block)
		if err != nil {
			return nil, err
		}
		if len(c.iv) == 0 {
			c.iv = make([]byte, gcmIV)
			rand.Read(c.iv) // never fails
		}
		return g.Seal(append(dst, c.iv...), c.iv, in, c.aad), nil
	case "CBC":
		if len(c.iv) == 0 {
			c.iv = make([]byte, cbcIV)
			rand.Read(c.iv) // never fails
		}
		dst = append(dst, c.iv...)
	}
	n := aes.BlockSize - len(in)%aes.BlockSize
	padded := append([]byte(nil), in...)
	for range n {
		padded = append(padded, byte(n))
	}
	if c.mode == "CBC" {
		cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(padded, padded)
	} else {
		for k := 0; k < len(padded); k += aes.BlockSize {
			c.block.Encrypt(padded[k:], padded[k:k+aes.BlockSize])
		}
	}
	return append(dst, padded...), nil
}

var errPadding = errors.New("the text was not encrypted with this key, mode and padding")

func (c *aesCall) decrypt(dst, in []byte) ([]byte, error) {
	switch c.mode {
	case "GCM":
		g, err := cipher.NewGCM(c.block)
		if err != nil {
			return nil, err
		}
		if len(in) < gcmIV {
			return nil, errors.New("the text is too short for its initialization vector")
		}
		return g.Open(dst, in[:gcmIV], in[gcmIV:], c.aad)
	case "CBC":
		if len(in) < cbcIV {
			return nil, errors.New("the text is too short for its initialization vector")
		}
		c.iv, in = in[:cbcIV], in[cbcIV:]
	}
	if len(in)%aes.BlockSize != 0 {
		return nil, errors.New("the length of the text is no multiple of 16")
	}
	if len(in) == 0 {
		return dst, nil
	}
	plain := make([]byte, len(in))
	if c.mode == "CBC" {
		cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(plain, in)
	} else {
		for k := 0; k < len(in); k += aes.BlockSize {
			c.block.Decrypt(plain[k:], in[k:k+aes.BlockSize])
		}
	}
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, errPadding
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, errPadding
		}
	}
	return append(dst, plain[:len(plain)-n]...), nil
}

func aesKernel(encrypt, try bool) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		c, err := aesOf(a, i, encrypt)
		if err == nil {
			var out []byte
			if encrypt {
				out, err = c.encrypt(dst, a.V[0].Bytes(i))
			} else {
				out, err = c.decrypt(dst, a.V[0].Bytes(i))
			}
			if err == nil {
				return out, true, nil
			}
			err = cryptoError(a, err)
		}
		if try {
			return nil, false, nil // NULL is the answer
		}
		return nil, false, err
	})
}

var digests = map[string]func() hash.Hash{"SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New, "SHA-1": sha1.New, "MD5": md5.New}

func hmacOf(a *Args, i int, dst []byte) ([]byte, bool, error) {
	name := "SHA-256"
	if len(a.V) > 2 {
		name = a.V[2].Str(i)
	}
	h := digests[strings.ToUpper(name)]
	if h == nil {
		return nil, false, aesError(a, "INVALID_PARAMETER_VALUE.HMAC_ALGORITHM", "parameter", "`algorithm`", "functionName", "`hmac`", "algorithm", "'"+name+"'")
	}
	key := a.V[0].Bytes(i)
	if len(key) == 0 {
		return nil, false, aesError(a, "INVALID_PARAMETER_VALUE.HMAC_CRYPTO_ERROR", "parameter", "`key`", "functionName", "`hmac`", "detailMessage", "Empty key")
	}
	m := hmac.New(h, key)
	m.Write(a.V[1].Bytes(i))
	return m.Sum(dst), true, nil
}

func cryptoFunctions() []Def {
	bin := gives(types.BinaryType)
	def := func(name, since, usage string, defaults []string, most int, k Kernel, p []Accept, from int, ex ...Example) Def {
		d := Def{Name: name, Since: since, Group: "misc_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe, Examples: ex, Pretty: withDefaults(name, most-len(defaults), defaults...)}
		for n := from; n <= len(p); n++ {
			d.Overloads = append(d.Overloads, sig(bin, k, p[:n]...))
		}
		return d
	}
	enc, dec := params(binaryP, binaryP, stringP, stringP, binaryP, binaryP), params(binaryP, binaryP, stringP, stringP, binaryP)
	encrypt := def("aes_encrypt", "3.3.0", "Encrypts with AES, in mode GCM, CBC or ECB, by a key of 16, 24 or 32 bytes.", []string{"GCM", "DEFAULT", "", ""}, 6, aesKernel(true, false), enc, 2,
		Example{"SELECT hex(aes_encrypt('Spark', '0000111122223333', 'ECB'))", "348FF37EBDE05B7880BA339068FBDA5E"},
		Example{"SELECT base64(aes_encrypt('Spark', 'abcdefghijklmnop12345678ABCDEFGH', 'GCM', 'DEFAULT', unhex('000000000000000000000000'), 'This is an AAD mixed into the input'))", "AAAAAAAAAAAAAAAAQiYi+sTLm7KD9UcZ2nlRdYDe/PX4"})
	encrypt.Random = true // a vector of its own for each row where none is given
	rest := []string{"GCM", "DEFAULT", ""}
	return []Def{
		encrypt,
		def("aes_decrypt", "3.3.0", "Decrypts what aes_encrypt encrypted.", rest, 5, aesKernel(false, false), dec, 2,
			Example{"SELECT decode(aes_decrypt(unbase64('2NYmDCjgXTbbxGA3/SnJEfFC/JQ7olk2VQWReIAAFKo='), '1234567890abcdef', 'CBC'), 'utf-8')", "Apache Spark"}),
		def("try_aes_decrypt", "3.5.0", "Is aes_decrypt, with NULL for what can't be decrypted.", rest, 5, aesKernel(false, true), dec, 2,
			Example{"SELECT try_aes_decrypt(x'0011', '0000111122223333', 'GCM')", "NULL"}),
		def("hmac", "4.3.0", "Gives the authentication code of a message by a key, with the hash SHA-256 or another.", []string{"SHA-256"}, 3, tryText(hmacOf), params(binaryP, binaryP, stringP), 2,
			Example{"SELECT hex(hmac('key', 'message'))", "6E9EF29B75FFFC5B7ABAE527D58FDADB2FE42E7219011976917343065F58ED4A"}),
	}
}
