//go:build !purego

#include "textflag.h"

// One step of the tile: 12 numbers of b at offset 96·s, 4 of a at 32·s.
#define STEP(ao, bo) \
	VMOVUPD      bo+0(BX), Y12      \
	VMOVUPD      bo+32(BX), Y13     \
	VMOVUPD      bo+64(BX), Y14     \
	VBROADCASTSD ao+0(AX), Y15      \
	VFMADD231PD  Y12, Y15, Y0       \
	VFMADD231PD  Y13, Y15, Y1       \
	VFMADD231PD  Y14, Y15, Y2       \
	VBROADCASTSD ao+8(AX), Y15      \
	VFMADD231PD  Y12, Y15, Y3       \
	VFMADD231PD  Y13, Y15, Y4       \
	VFMADD231PD  Y14, Y15, Y5       \
	VBROADCASTSD ao+16(AX), Y15     \
	VFMADD231PD  Y12, Y15, Y6       \
	VFMADD231PD  Y13, Y15, Y7       \
	VFMADD231PD  Y14, Y15, Y8       \
	VBROADCASTSD ao+24(AX), Y15     \
	VFMADD231PD  Y12, Y15, Y9       \
	VFMADD231PD  Y13, Y15, Y10      \
	VFMADD231PD  Y14, Y15, Y11

// Adds a row of c to three accumulators and stores them there.
#define ROW(u, v, w) \
	VADDPD  0(DI), u, u   \
	VADDPD  32(DI), v, v  \
	VADDPD  64(DI), w, w  \
	VMOVUPD u, 0(DI)      \
	VMOVUPD v, 32(DI)     \
	VMOVUPD w, 64(DI)     \
	ADDQ    DX, DI

// func tileAVX2(k int, a, b, c *float64, ldc int)
TEXT ·tileAVX2(SB), NOSPLIT, $0-40
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ c+24(FP), DI
	MOVQ ldc+32(FP), DX
	SHLQ $3, DX

	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3
	VXORPD Y4, Y4, Y4
	VXORPD Y5, Y5, Y5
	VXORPD Y6, Y6, Y6
	VXORPD Y7, Y7, Y7
	VXORPD Y8, Y8, Y8
	VXORPD Y9, Y9, Y9
	VXORPD Y10, Y10, Y10
	VXORPD Y11, Y11, Y11

	// The tile of c will be wanted at the end.
	LEAQ        (DI)(DX*2), SI
	PREFETCHT0  0(DI)
	PREFETCHT0  64(DI)
	PREFETCHT0  0(DI)(DX*1)
	PREFETCHT0  64(DI)(DX*1)
	PREFETCHT0  0(SI)
	PREFETCHT0  64(SI)
	PREFETCHT0  0(SI)(DX*1)
	PREFETCHT0  64(SI)(DX*1)

	MOVQ CX, SI
	SHRQ $2, SI
	JZ   rest

four:
	STEP(0, 0)
	STEP(32, 96)
	STEP(64, 192)
	STEP(96, 288)
	ADDQ $128, AX
	ADDQ $384, BX
	DECQ SI
	JNZ  four

rest:
	ANDQ $3, CX
	JZ   done

one:
	STEP(0, 0)
	ADDQ $32, AX
	ADDQ $96, BX
	DECQ CX
	JNZ  one

done:
	ROW(Y0, Y1, Y2)
	ROW(Y3, Y4, Y5)
	ROW(Y6, Y7, Y8)
	ROW(Y9, Y10, Y11)
	VZEROUPPER
	RET

// Joins the four sums of acc to (0 + 2) + (1 + 3) and stores them at offset o.
#define JOIN(acc, low, o) \
	VEXTRACTF128 $1, acc, X12 \
	VADDPD       X12, low, low \
	VHADDPD      low, low, low \
	VMOVSD       low, o(DI)

// func rows4AVX2(n int, a *float64, lda int, x, y *float64, s, dot *[4]float64)
TEXT ·rows4AVX2(SB), NOSPLIT, $0-56
	MOVQ n+0(FP), CX
	MOVQ a+8(FP), R8
	MOVQ lda+16(FP), DX
	MOVQ x+24(FP), AX
	MOVQ y+32(FP), BX
	MOVQ s+40(FP), SI
	MOVQ dot+48(FP), DI
	LEAQ (R8)(DX*8), R9
	LEAQ (R9)(DX*8), R10
	LEAQ (R10)(DX*8), R11

	VBROADCASTSD 0(SI), Y4
	VBROADCASTSD 8(SI), Y5
	VBROADCASTSD 16(SI), Y6
	VBROADCASTSD 24(SI), Y7
	VXORPD       Y0, Y0, Y0
	VXORPD       Y1, Y1, Y1
	VXORPD       Y2, Y2, Y2
	VXORPD       Y3, Y3, Y3
	XORQ         SI, SI

loop:
	VMOVUPD     (R8)(SI*8), Y8
	VMOVUPD     (R9)(SI*8), Y9
	VMOVUPD     (R10)(SI*8), Y10
	VMOVUPD     (R11)(SI*8), Y11
	VMOVUPD     (AX)(SI*8), Y12
	VMOVUPD     (BX)(SI*8), Y13
	VFMADD231PD Y8, Y12, Y0
	VFMADD231PD Y9, Y12, Y1
	VFMADD231PD Y10, Y12, Y2
	VFMADD231PD Y11, Y12, Y3
	VFMADD231PD Y8, Y4, Y13
	VFMADD231PD Y9, Y5, Y13
	VFMADD231PD Y10, Y6, Y13
	VFMADD231PD Y11, Y7, Y13
	VMOVUPD     Y13, (BX)(SI*8)
	ADDQ        $4, SI
	CMPQ        SI, CX
	JLT         loop

	JOIN(Y0, X0, 0)
	JOIN(Y1, X1, 8)
	JOIN(Y2, X2, 16)
	JOIN(Y3, X3, 24)
	VZEROUPPER
	RET
