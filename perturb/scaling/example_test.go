package scaling_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/perturb/scaling"
)

func ExampleRun() {
	k := scaling.Curve{R0: .2, A: .61, B: 1.92, Mid: 2542}
	points := []scaling.Point{{Compute: 0, Reward: .2}}
	for c := 1500.0; c <= 16000; c += 500 {
		points = append(points, scaling.Point{Compute: c, Reward: k.At(c)})
	}
	fit, err := scaling.Run(context.Background(), points, scaling.Config{To: 8000})
	if err != nil {
		panic(err)
	}
	fmt.Printf("A %.3f, B %.2f, C_mid %.0f; at 16000 hours %.4f\n", fit.A, fit.B, fit.Mid, fit.At(16000))
	// Output: A 0.610, B 1.92, C_mid 2542; at 16000 hours 0.5984
}
