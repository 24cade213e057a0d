package dial_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/llm/dial"
)

func ExampleOpen() {
	// Nothing is chosen for the user, and nothing is asked in clear text with a key.
	for _, name := range []string{"", "llamacpp://models.example"} {
		_, err := dial.Open(context.Background(), name, dial.Config{APIKey: "sk-…"})
		fmt.Println(err)
		var tip interface{ Hint() string }
		if errors.As(err, &tip) {
			fmt.Println("hint:", tip.Hint())
		}
	}
	// Output:
	// no backend is named
	// hint: start a server, as in: ollama serve, and give --backend ollama://127.0.0.1:11434; or --backend demo for a toy model on simulated cells
	// the API key would go to models.example:8080 in clear text
	// hint: use +https, or unset C2S_API_KEY if the server needs none
}
