package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/task"
	"github.com/cellsentence/c2s/perturb/reward"
	"github.com/cellsentence/c2s/perturb/reward/server"
	"github.com/cellsentence/c2s/perturb/reward/space"
	"github.com/cellsentence/c2s/scfid/pca"
)

// serveFlags are the flags of perturb serve-reward.
type serveFlags struct {
	listen, kind, genes, vocab, program, tokenFile, maxBody string
	validity                                                reward.Validity
	topK, group                                             int
	mixed                                                   bool
	grace                                                   time.Duration

	embed, rankModel, organism, pooling string
	backend                             backendFlags
}

func newServeReward(g *globals) *cobra.Command {
	o := new(serveFlags)
	cmd := &cobra.Command{
		Use: "serve-reward --genes FILE", Short: "Answer trainers with rewards over HTTP", Args: need(0, 0),
		Long: `serve-reward scores generated cell sentences for trainers: POST /get_reward for
OpenRLHF, /trl for TRL, /verl and /verl/batch for verl; examples/rewards has the
clients. An answer's truth (label, column truth, ground_truth) is an object, or the
text of one, with real (a sentence or a list), control, and replicate or ceiling.

The default reward is Kendall's tau-b on the genes, corrected: 0 is a copy of the
control cell, 1 a replicate of the real one. The reward mse is −MSE between points of
the answer and of a real cell: in the genes themselves, in the components that
--embed names (c2s embed --method pca --save), or where the model of --backend places
them. GET /healthz and /metrics tell how it
is. It listens on this machine alone unless there is a token, in --token-file or
C2S_REWARD_TOKEN. SIGTERM or Ctrl-C ends it when running requests are answered.`,
		Example: "  c2s perturb serve-reward --genes examples/rewards/genes.txt --listen 127.0.0.1:5000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.genes == "" {
				return &usageError{errors.New("--genes FILE is missing"), cmd.CommandPath()}
			}
			if err := o.checkSpace(); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			body, err := parseSize(o.maxBody)
			if err != nil {
				return &usageError{fmt.Errorf("--max-body: %w", err), cmd.CommandPath()}
			}
			return runServeReward(cmd, g, o, body)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:5000", "listen on `HOST:PORT`; port 0 takes a free one")
	f.StringVar(&o.kind, "reward", string(reward.KindCorrected), "reward by `corrected-tau|tau|mse|overlap|direction|validity|hero`")
	f.StringVar(&o.genes, "genes", "", "score on the genes of this `FILE`, one a line")
	f.StringVar(&o.vocab, "vocab", "", "a valid sentence has genes of this `FILE` (default: --genes)")
	f.IntVar(&o.validity.Least, "min-words", 0, "a valid sentence has at least `N` words")
	f.IntVar(&o.validity.Most, "max-words", 0, "a valid sentence has at most `N` words; 0 is no limit")
	f.Float64Var(&o.validity.MinKnown, "min-known", 0.95, "a valid sentence has this `SHARE` of genes not named before")
	f.StringVar(&o.program, "program", "", "the genes of the reward direction, one a line of `FILE`")
	f.IntVar(&o.topK, "top-k", 0, "the reward overlap is of the first `K` genes; 0 takes all")
	f.IntVar(&o.group, "group-size", 0, "answers `N` to each prompt, for the reward hero")
	f.BoolVar(&o.mixed, "hard-to-verify", false, "take the wider bands of the reward hero (α = β = .1 for .05)")
	f.StringVar(&o.embed, "embed", "", "the reward mse is in the components of this `PCA.json`")
	f.StringVar(&o.rankModel, "rank-model", "", "expression of a gene's place, for --embed: a `RANK.json` of c2s fidelity")
	f.StringVar(&o.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt that a model embeds")
	f.StringVar(&o.pooling, "pooling", "mean", "one vector of a model's states at the tokens: `mean|last`")
	o.backend.add(f)
	f.StringVar(&o.tokenFile, "token-file", "", "ask for the token in this `FILE`")
	f.StringVar(&o.maxBody, "max-body", "32MiB", "largest request, a `SIZE`")
	f.DurationVar(&o.grace, "grace", 30*time.Second, "let requests go on for this `TIME` at the end")
	return cmd
}

// panelOf reads a list of genes.
func panelOf(path string) (*reward.Panel, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := reward.ReadPanel(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// scorer is the reward that the flags ask for.
func (o *serveFlags) scorer(g *globals, embed space.Embed) (*reward.Scorer, error) {
	cfg := reward.Config{
		Kind: reward.Kind(o.kind), Validity: o.validity, TopK: o.topK, GroupSize: o.group,
		Hero: reward.NewHero(!o.mixed), Seed: g.seed, Embed: embed,
	}
	for _, list := range []struct {
		path string
		to   **reward.Panel
	}{{o.genes, &cfg.Panel}, {o.vocab, &cfg.Validity.Known}, {o.program, &cfg.Program}} {
		if list.path == "" {
			continue
		}
		var err error
		if *list.to, err = panelOf(list.path); err != nil {
			return nil, err
		}
	}
	return reward.NewScorer(cfg)
}

// token is the one that clients must have, or "".
func (o *serveFlags) token(g *globals) (string, error) {
	if o.tokenFile == "" {
		return g.getenv("C2S_REWARD_TOKEN"), nil
	}
	text, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", &inputError{fmt.Errorf("%s: there is no token in it", o.tokenFile), ""}
	}
	return token, nil
}

// checkSpace checks the flags of where cells are placed.
func (o *serveFlags) checkSpace() error {
	asked := len(o.backend.names) > 0
	switch {
	case (asked || o.embed != "") && o.kind != string(reward.KindMSE):
		return fmt.Errorf("--embed and --backend are for --reward mse, not %s", o.kind)
	case asked && o.embed != "":
		return errors.New("--embed and --backend exclude each other")
	case (o.embed == "") != (o.rankModel == ""):
		return errors.New("--embed and --rank-model go together")
	case o.pooling != "mean" && o.pooling != "last":
		return fmt.Errorf("--pooling %q is neither mean nor last", o.pooling)
	}
	return nil
}

// space opens what places cells, nil for the genes themselves; what it returns closes it.
func (o *serveFlags) space(ctx context.Context, g *globals) (embed space.Embed, close func() error, err error) {
	close = func() error { return nil }
	if o.embed != "" {
		embed, err = o.components()
		return embed, close, err
	}
	if len(o.backend.names) == 0 {
		return nil, close, nil
	}
	given, err := o.backend.templates(ctx, g, task.CellType)
	if err != nil {
		return nil, close, err
	}
	m, err := o.backend.open(ctx, g)
	if err != nil {
		return nil, close, err
	}
	words, warning, err := task.Wording(task.CellType, m.info, given)
	if err == nil {
		err = canEmbed(m, llm.Pooling(o.pooling))
	}
	if err == nil {
		var e *task.Embedder
		if e, err = task.NewEmbedder(m, task.EmbedConfig{Templates: words, TopK: topGenes(0, m), Organism: o.organism, Seed: g.seed, Pooling: llm.Pooling(o.pooling)}); err == nil {
			embed = space.Model(e, m.workers())
		}
	}
	if err != nil {
		return nil, close, errors.Join(err, m.close())
	}
	if warning != "" {
		g.logger().Warn(warning)
	}
	return embed, m.close, nil
}

// components reads the files of --embed and --rank-model.
func (o *serveFlags) components() (space.Embed, error) {
	f, err := os.Open(o.embed)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := pca.Load(f)
	if err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", o.embed, err), "make one with c2s embed FILE --method pca --save " + o.embed}
	}
	r, err := os.Open(o.rankModel)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rank, err := cellsentence.ReadRankModel(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.rankModel, err)
	}
	embed, err := space.PCA(m, rank)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", o.embed, o.rankModel, err)
	}
	return embed, nil
}

func runServeReward(cmd *cobra.Command, g *globals, o *serveFlags, body int64) (err error) {
	ctx := cmd.Context()
	embed, close, err := o.space(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, close()) }()
	scorer, err := o.scorer(g, embed)
	if err != nil {
		var bad interface{ BadInput() bool }
		if errors.As(err, &bad) || errors.Is(err, os.ErrNotExist) {
			return err
		}
		return &usageError{err, cmd.CommandPath()}
	}
	token, err := o.token(g)
	if err != nil {
		return err
	}
	s, err := server.New(server.Config{Scorer: scorer, Token: token, MaxBody: body, Slots: 2 * g.workers(), Grace: o.grace})
	if err != nil {
		return &usageError{err, cmd.CommandPath()}
	}
	l, err := server.Listen(ctx, o.listen, token)
	if err != nil {
		if _, ok := errors.AsType[*server.TokenError](err); ok {
			return &usageError{err, cmd.CommandPath()}
		}
		return err
	}
	g.logger().Info("rewards on http://" + l.Addr().String())
	if err := s.Serve(ctx, l); err != nil {
		return err
	}
	g.logger().Info("all requests were answered")
	return nil
}
