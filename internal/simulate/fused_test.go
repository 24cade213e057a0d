package simulate

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// On processors with a fused multiply-add the compiler joins a product and a sum into
// one rounding, unless told not to; then counts would differ between machines. No
// such instruction may be in what it makes of this package.
func TestNoFusedMultiplyAdd(t *testing.T) {
	if os.Getenv("C2S_CI") != "1" {
		t.Skip("compiles the package for three processors; set C2S_CI=1 to run it")
	}
	fused := regexp.MustCompile(`(?m)^.*\b(FN?M(ADD|SUB|A)[SD]?|VFN?M(ADD|SUB)[0-9A-Z]*)\b.*$`)
	for _, env := range [][]string{{"GOARCH=arm64"}, {"GOARCH=amd64", "GOAMD64=v3"}, {"GOARCH=ppc64le"}} {
		cmd := exec.Command("go", "build", "-gcflags=-S", ".")
		cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", env, err, out)
		}
		if len(out) < 10_000 {
			t.Fatalf("%v: no assembly in the output: %s", env, out)
		}
		for _, m := range fused.FindAll(out, 10) {
			t.Errorf("%v: fused instruction: %s", env, m)
		}
	}
}
