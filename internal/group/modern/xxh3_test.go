package modern

import (
	"testing"

	"github.com/zeebo/xxh3"
)

// The library makes the hashes that hash4j, which Kafka uses, makes of n bytes of which the i-th is i*131+17.
func TestHashesAsHash4j(t *testing.T) {
	for n, want := range map[int]uint64{
		0:    0x2d06800538d394c2,
		1:    0xf319fe2bdfcdfebd,
		2:    0x6c2ca74ca555b69d,
		3:    0xa107bb65b715c89b,
		4:    0x509f0567aa8a3123,
		5:    0x6e8bb692f31805e8,
		7:    0x7d56f02b162bee3c,
		8:    0xb1433dc39b7f946e,
		9:    0xfe2542440b36ddc7,
		15:   0xed08d99f5f3a0d83,
		16:   0x715189ff3dcdcff6,
		17:   0x7d33163b8af0179c,
		31:   0x91f3e7ddd073abe6,
		32:   0x909ca0c765b1753c,
		33:   0x60f5a6ac1c8b4a59,
		63:   0xeed43e60f328f75c,
		64:   0x991d97cd58dd82d,
		65:   0x8e4f57a107b176db,
		96:   0x8adaf9d6e4f4721f,
		127:  0x7bc5430cc7221484,
		128:  0xee847f7fcef4ddbc,
		129:  0x7e3e7b750239d4fc,
		130:  0xabeaafe107571d84,
		160:  0xf2adb08915ea24e,
		200:  0xd57157e6be124c50,
		239:  0x1d79153451245f8c,
		240:  0x44089a144aade02d,
		241:  0xed93572e52acac83,
		255:  0xecede890dd88244b,
		256:  0x5356e48742805b6a,
		257:  0x90215816e3d19240,
		511:  0x11b98aa41f9caa6c,
		512:  0xed6bfa5c6aa6bf07,
		513:  0x5857e21eaae7b27e,
		1000: 0x7dee33ba60914446,
		1023: 0x90e9c9b2131acc97,
		1024: 0xf0c5763fadfacd25,
		1025: 0xd9b8e93ef3fbe416,
		1087: 0x9cac0a86f577ff9d,
		1088: 0xfef32e3d61ec8a30,
		1089: 0x716c5eddec9ad697,
		2048: 0xa5aa5f57cf129fab,
		2049: 0xb6d0a639bd770002,
		3333: 0xc5a66ee1072c762e,
		5000: 0x39b04cae8a0026e9,
	} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i*131 + 17)
		}
		if got := xxh3.Hash(b); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}
