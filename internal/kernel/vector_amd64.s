#include "textflag.h"

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// In the mul functions rows are in AX, BX (and CX, DX) with the byte offset R8,
// vectors in SI (and R10, R11, R12) with the byte offset R9, and sums in Y0 to Y7.
// R13 counts down the steps along a row.

// MAC adds w·v to acc; the product goes through t.
#define MAC(w, v, t, acc) \
	VMULPS v, w, t   \
	VADDPS t, acc, acc

#define ZERO4 \
	VXORPS Y0, Y0, Y0 \
	VXORPS Y1, Y1, Y1 \
	VXORPS Y2, Y2, Y2 \
	VXORPS Y3, Y3, Y3

#define ZERO8 \
	ZERO4             \
	VXORPS Y4, Y4, Y4 \
	VXORPS Y5, Y5, Y5 \
	VXORPS Y6, Y6, Y6 \
	VXORPS Y7, Y7, Y7

// SUM4 adds up the lanes of four sums into the four lanes of Xa: in pairs, pairs of
// pairs, and the two halves.
#define SUM4(Ya, Yb, Yc, Yd, Xa) \
	VHADDPS Yb, Ya, Ya       \
	VHADDPS Yd, Yc, Yc       \
	VHADDPS Yc, Ya, Ya       \
	VEXTRACTF128 $1, Ya, X15 \
	VADDPS X15, Xa, Xa

// START4 begins four rows: AX is the first, R11 the distance.
#define START4 \
	LEAQ (AX)(R11*1), BX \
	LEAQ (BX)(R11*1), CX \
	LEAQ (CX)(R11*1), DX \
	XORQ R8, R8          \
	XORQ R9, R9          \
	ZERO4

// END4 stores four products and goes on to the next four rows.
#define END4 \
	SUM4(Y0, Y1, Y2, Y3, X0) \
	VMOVUPS X0, (DI)         \
	ADDQ $16, DI             \
	LEAQ (DX)(R11*1), AX     \
	SUBQ $4, R12

// VECTORS8 finds the vectors behind the first, R12 apart.
#define VECTORS8 \
	LEAQ (SI)(R12*1), R10  \
	LEAQ (R10)(R12*1), R11 \
	ADDQ R11, R12

#define START8 \
	XORQ R8, R8 \
	XORQ R9, R9 \
	ZERO8

// END8 stores two rows' products with four vectors, which lie CX bytes apart.
#define END8 \
	SUM4(Y0, Y1, Y2, Y3, X0)  \
	SUM4(Y4, Y5, Y6, Y7, X4)  \
	VUNPCKLPS X4, X0, X1      \
	VUNPCKHPS X4, X0, X2      \
	LEAQ (DI)(CX*2), R13      \
	VMOVLPS X1, (DI)          \
	VMOVHPS X1, (DI)(CX*1)    \
	VMOVLPS X2, (R13)         \
	VMOVHPS X2, (R13)(CX*1)   \
	ADDQ $8, DI

// TOKENS4 multiplies the rows in Y8 and Y9 by eight values of four vectors, which
// begin at the byte off behind R9.
#define TOKENS4(off) \
	VMOVUPS off(SI)(R9*1), Y10  \
	MAC(Y8, Y10, Y11, Y0)       \
	MAC(Y9, Y10, Y12, Y4)       \
	VMOVUPS off(R10)(R9*1), Y10 \
	MAC(Y8, Y10, Y11, Y1)       \
	MAC(Y9, Y10, Y12, Y5)       \
	VMOVUPS off(R11)(R9*1), Y10 \
	MAC(Y8, Y10, Y11, Y2)       \
	MAC(Y9, Y10, Y12, Y6)       \
	VMOVUPS off(R12)(R9*1), Y10 \
	MAC(Y8, Y10, Y11, Y3)       \
	MAC(Y9, Y10, Y12, Y7)

// SCALE puts the scale of a block into all lanes of Yd.
#define SCALE(row, t, Xd, Yd) \
	MOVWLZX (row)(R8*1), t \
	VMOVD t, Xd            \
	VCVTPH2PS Xd, Xd       \
	VBROADCASTSS Xd, Yd

// BYTES unpacks eight bytes of a block and multiplies them by the scale.
#define BYTES(off, row, scale, to) \
	VPMOVSXBD off(row)(R8*1), to \
	VCVTDQ2PS to, to             \
	VMULPS scale, to, to

#define Q8X4(off, xoff) \
	VMOVUPS xoff(SI)(R9*1), Y8 \
	BYTES(off, AX, Y4, Y9)     \
	BYTES(off, BX, Y5, Y10)    \
	BYTES(off, CX, Y6, Y11)    \
	BYTES(off, DX, Y7, Y12)    \
	MAC(Y9, Y8, Y9, Y0)        \
	MAC(Y10, Y8, Y10, Y1)      \
	MAC(Y11, Y8, Y11, Y2)      \
	MAC(Y12, Y8, Y12, Y3)

#define Q8X8(off, xoff) \
	BYTES(off, AX, Y13, Y8) \
	BYTES(off, BX, Y14, Y9) \
	TOKENS4(xoff)

// func mul4F32(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)
TEXT ·mul4F32(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), AX
	MOVQ stride+16(FP), R11
	MOVQ x+24(FP), SI
	MOVQ rows+40(FP), R12

fourF32:
	MOVQ n+32(FP), R13
	START4
	SHRQ $3, R13
	JZ   fourF32end

fourF32loop:
	VMOVUPS (SI)(R9*1), Y8
	VMULPS  (AX)(R9*1), Y8, Y9
	VADDPS  Y9, Y0, Y0
	VMULPS  (BX)(R9*1), Y8, Y10
	VADDPS  Y10, Y1, Y1
	VMULPS  (CX)(R9*1), Y8, Y11
	VADDPS  Y11, Y2, Y2
	VMULPS  (DX)(R9*1), Y8, Y12
	VADDPS  Y12, Y3, Y3
	ADDQ    $32, R9
	DECQ R13
	JNZ  fourF32loop

fourF32end:
	END4
	JNZ  fourF32
	VZEROUPPER
	RET

// func mul4F16(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)
TEXT ·mul4F16(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), AX
	MOVQ stride+16(FP), R11
	MOVQ x+24(FP), SI
	MOVQ rows+40(FP), R12

fourF16:
	MOVQ n+32(FP), R13
	START4
	SHRQ $3, R13
	JZ   fourF16end

fourF16loop:
	VMOVUPS   (SI)(R9*1), Y8
	VCVTPH2PS (AX)(R8*1), Y9
	VCVTPH2PS (BX)(R8*1), Y10
	VCVTPH2PS (CX)(R8*1), Y11
	VCVTPH2PS (DX)(R8*1), Y12
	MAC(Y9, Y8, Y9, Y0)
	MAC(Y10, Y8, Y10, Y1)
	MAC(Y11, Y8, Y11, Y2)
	MAC(Y12, Y8, Y12, Y3)
	ADDQ      $32, R9
	ADDQ      $16, R8
	DECQ R13
	JNZ  fourF16loop

fourF16end:
	END4
	JNZ  fourF16
	VZEROUPPER
	RET

// func mul4Q8(dst *float32, w unsafe.Pointer, stride int, x *float32, n, rows int)
TEXT ·mul4Q8(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), AX
	MOVQ stride+16(FP), R11
	MOVQ x+24(FP), SI
	MOVQ rows+40(FP), R12

fourQ8:
	MOVQ n+32(FP), R13
	START4
	SHRQ $5, R13
	JZ   fourQ8end

fourQ8loop:
	SCALE(AX, R10, X4, Y4)
	SCALE(BX, R10, X5, Y5)
	SCALE(CX, R10, X6, Y6)
	SCALE(DX, R10, X7, Y7)
	Q8X4(2, 0)
	Q8X4(10, 32)
	Q8X4(18, 64)
	Q8X4(26, 96)
	ADDQ $128, R9
	ADDQ $34, R8
	DECQ R13
	JNZ  fourQ8loop

fourQ8end:
	END4
	JNZ  fourQ8
	VZEROUPPER
	RET

// func mul8F32(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)
TEXT ·mul8F32(SB), NOSPLIT, $0-64
	MOVQ dst+0(FP), DI
	MOVQ w+16(FP), AX
	MOVQ x+32(FP), SI
	MOVQ step+40(FP), R12
	MOVQ rows+56(FP), DX
	VECTORS8

eightF32:
	MOVQ stride+24(FP), BX
	ADDQ AX, BX
	MOVQ n+48(FP), R13
	START8
	SHRQ $3, R13
	JZ   eightF32end

eightF32loop:
	VMOVUPS (AX)(R9*1), Y8
	VMOVUPS (BX)(R9*1), Y9
	TOKENS4(0)
	ADDQ    $32, R9
	DECQ R13
	JNZ  eightF32loop

eightF32end:
	MOVQ apart+8(FP), CX
	END8
	MOVQ stride+24(FP), AX
	ADDQ BX, AX
	SUBQ $2, DX
	JNZ  eightF32
	VZEROUPPER
	RET

// func mul8F16(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)
TEXT ·mul8F16(SB), NOSPLIT, $0-64
	MOVQ dst+0(FP), DI
	MOVQ w+16(FP), AX
	MOVQ x+32(FP), SI
	MOVQ step+40(FP), R12
	MOVQ rows+56(FP), DX
	VECTORS8

eightF16:
	MOVQ stride+24(FP), BX
	ADDQ AX, BX
	MOVQ n+48(FP), R13
	START8
	SHRQ $3, R13
	JZ   eightF16end

eightF16loop:
	VCVTPH2PS (AX)(R8*1), Y8
	VCVTPH2PS (BX)(R8*1), Y9
	TOKENS4(0)
	ADDQ      $32, R9
	ADDQ      $16, R8
	DECQ R13
	JNZ  eightF16loop

eightF16end:
	MOVQ apart+8(FP), CX
	END8
	MOVQ stride+24(FP), AX
	ADDQ BX, AX
	SUBQ $2, DX
	JNZ  eightF16
	VZEROUPPER
	RET

// func mul8Q8(dst *float32, apart int, w unsafe.Pointer, stride int, x *float32, step, n, rows int)
TEXT ·mul8Q8(SB), NOSPLIT, $0-64
	MOVQ dst+0(FP), DI
	MOVQ w+16(FP), AX
	MOVQ x+32(FP), SI
	MOVQ step+40(FP), R12
	MOVQ rows+56(FP), DX
	VECTORS8

eightQ8:
	MOVQ stride+24(FP), BX
	ADDQ AX, BX
	MOVQ n+48(FP), R13
	START8
	SHRQ $5, R13
	JZ   eightQ8end

eightQ8loop:
	SCALE(AX, CX, X13, Y13)
	SCALE(BX, CX, X14, Y14)
	Q8X8(2, 0)
	Q8X8(10, 32)
	Q8X8(18, 64)
	Q8X8(26, 96)
	ADDQ $128, R9
	ADDQ $34, R8
	DECQ R13
	JNZ  eightQ8loop

eightQ8end:
	MOVQ apart+8(FP), CX
	END8
	MOVQ stride+24(FP), AX
	ADDQ BX, AX
	SUBQ $2, DX
	JNZ  eightQ8
	VZEROUPPER
	RET

// func addRows32(dst, rows *float32, stride int, weights *float32, n int)
TEXT ·addRows32(SB), NOSPLIT, $0-40
	MOVQ    dst+0(FP), DI
	MOVQ    rows+8(FP), AX
	MOVQ    stride+16(FP), BX
	MOVQ    weights+24(FP), SI
	MOVQ    n+32(FP), CX
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3

addrow:
	VBROADCASTSS (SI), Y8
	VMULPS       (AX), Y8, Y9
	VADDPS       Y9, Y0, Y0
	VMULPS       32(AX), Y8, Y10
	VADDPS       Y10, Y1, Y1
	VMULPS       64(AX), Y8, Y11
	VADDPS       Y11, Y2, Y2
	VMULPS       96(AX), Y8, Y12
	VADDPS       Y12, Y3, Y3
	ADDQ         $4, SI
	ADDQ         BX, AX
	DECQ         CX
	JNZ          addrow

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VZEROUPPER
	RET

// The constants of exp.go, in its order.
DATA expc<>+0(SB)/4, $0x42b00000  // 88
DATA expc<>+4(SB)/4, $0xc2ae0000  // -87
DATA expc<>+8(SB)/4, $0x3fb8aa3b  // log2(e)
DATA expc<>+12(SB)/4, $0x3f318000 // ln 2, high part
DATA expc<>+16(SB)/4, $0xb95e8083 // ln 2, low part
DATA expc<>+20(SB)/4, $0x39506967
DATA expc<>+24(SB)/4, $0x3ab743ce
DATA expc<>+28(SB)/4, $0x3c088908
DATA expc<>+32(SB)/4, $0x3d2aa9c1
DATA expc<>+36(SB)/4, $0x3e2aaaaa
DATA expc<>+40(SB)/4, $0x3f000000
DATA expc<>+44(SB)/4, $0x3f800000 // 1
DATA expc<>+48(SB)/4, $127        // the bias of exponents
GLOBL expc<>(SB), RODATA, $52

// func expVector(x *float32, n int)
TEXT ·expVector(SB), NOSPLIT, $0-16
	MOVQ         x+0(FP), AX
	MOVQ         n+8(FP), CX
	SHRQ         $3, CX
	VBROADCASTSS expc<>+0(SB), Y3
	VBROADCASTSS expc<>+4(SB), Y4
	VBROADCASTSS expc<>+8(SB), Y5
	VBROADCASTSS expc<>+12(SB), Y6
	VBROADCASTSS expc<>+16(SB), Y7
	VBROADCASTSS expc<>+20(SB), Y8
	VBROADCASTSS expc<>+24(SB), Y9
	VBROADCASTSS expc<>+28(SB), Y10
	VBROADCASTSS expc<>+32(SB), Y11
	VBROADCASTSS expc<>+36(SB), Y12
	VBROADCASTSS expc<>+40(SB), Y13
	VBROADCASTSS expc<>+44(SB), Y14
	VBROADCASTSS expc<>+48(SB), Y15

exploop:
	VMOVUPS  (AX), Y0
	VMINPS   Y3, Y0, Y0
	VMAXPS   Y4, Y0, Y0
	VMULPS   Y5, Y0, Y1
	VROUNDPS $0, Y1, Y1   // n
	VMULPS   Y6, Y1, Y2
	VSUBPS   Y2, Y0, Y0
	VMULPS   Y7, Y1, Y2
	VSUBPS   Y2, Y0, Y0   // r
	VMULPS   Y8, Y0, Y2
	VADDPS   Y9, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VADDPS   Y10, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VADDPS   Y11, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VADDPS   Y12, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VADDPS   Y13, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VMULPS   Y0, Y2, Y2
	VADDPS   Y0, Y2, Y2
	VADDPS   Y14, Y2, Y2  // e to the r
	VCVTPS2DQ Y1, Y1
	VPADDD   Y15, Y1, Y1
	VPSLLD   $23, Y1, Y1  // 2^n
	VMULPS   Y2, Y1, Y2
	VMOVUPS  Y2, (AX)
	ADDQ     $32, AX
	DECQ     CX
	JNZ      exploop
	VZEROUPPER
	RET
