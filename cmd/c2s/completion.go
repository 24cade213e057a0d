package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// newCompletion takes the place of cobra's command, which exits with 0 where the
// shell is missing or unknown.
func newCompletion(g *globals) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print the script that completes c2s in a shell", GroupID: groupOther,
		Long: `completion prints the script that lets a shell complete the commands and flags of
c2s. Load it in the running shell with

  bash         source <(c2s completion bash)
  zsh          source <(c2s completion zsh)
  fish         c2s completion fish | source
  powershell   c2s completion powershell | Out-String | Invoke-Expression

and put that line into the file that the shell reads at its start. Bash needs its
package bash-completion, zsh "autoload -U compinit; compinit" before.`,
		Example:   "  c2s completion bash -o c2s.bash",
		Args:      only(shells...),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			out, err := g.create()
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, out.Abort()) }()
			if err := writeCompletion(cmd.Root(), args[0], out); err != nil {
				return err
			}
			return out.Commit()
		},
	}
}

func writeCompletion(root *cobra.Command, shell string, w io.Writer) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	default:
		return root.GenPowerShellCompletionWithDesc(w)
	}
}
