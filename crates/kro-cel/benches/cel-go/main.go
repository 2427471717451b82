// Measures cel-go on the expressions and data that it reads from standard input, for the benchmark beside it.
//
// Each expression runs twice: "typed" over the API server's wrapper of objects with schemas, as kro uses cel-go, and "dyn" over
// plain maps and slices of variables declared dyn, which is the fastest way that cel-go has.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

type variable struct {
	Schema *spec.Schema `json:"schema"`
	List   bool         `json:"list"`
	Data   any          `json:"data"`
}

type expression struct {
	ID   string `json:"id"`
	Expr string `json:"expr"`
}

type input struct {
	Variables   map[string]variable `json:"variables"`
	Expressions []expression        `json:"expressions"`
}

type result struct {
	ID     string  `json:"id"`
	Mode   string  `json:"mode"`
	Check  float64 `json:"check"`
	Eval   float64 `json:"eval"`
	Allocs float64 `json:"allocs"`
}

func main() {
	var in input
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	must(decoder.Decode(&in))
	for _, mode := range []string{"typed", "dyn"} {
		env, activation := environment(in.Variables, mode)
		for _, e := range in.Expressions {
			must(json.NewEncoder(os.Stdout).Encode(measure(env, activation, e, mode)))
		}
	}
}

func measure(env *cel.Env, activation map[string]any, e expression, mode string) result {
	if mode == "typed" {
		// kro takes reserved words as field names, the API server's types want them escaped
		e.Expr = strings.ReplaceAll(e.Expr, ".namespace", ".__namespace__")
	}
	checked, issues := env.Compile(e.Expr)
	must(issues.Err())
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	must(err)
	_, _, err = program.Eval(activation)
	must(err)
	vars, err := cel.NewActivation(activation)
	must(err)
	check := quick(func() { env.Compile(e.Expr) })
	eval := quick(func() { program.Eval(vars) })
	allocs := testing.AllocsPerRun(100, func() { program.Eval(vars) })
	return result{e.ID, mode, check, eval, allocs}
}

// Nanoseconds a call: of many short rounds the one that is better than nine tenths of them, so that other work on the machine
// does not count.
func quick(work func()) float64 {
	calls := 1
	for timed(calls, work) < round {
		calls *= 2
	}
	rounds := make([]float64, 400)
	for i := range rounds {
		rounds[i] = float64(timed(calls, work).Nanoseconds()) / float64(calls)
	}
	slices.Sort(rounds)
	return rounds[len(rounds)/10]
}

const round = 200 * time.Microsecond

func timed(calls int, work func()) time.Duration {
	start := time.Now()
	for range calls {
		work()
	}
	return time.Since(start)
}

// Numbers as the API server decodes them: integers where they are whole.
func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = numbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = numbers(inner)
		}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		float, err := v.Float64()
		must(err)
		return float
	}
	return value
}

func environment(variables map[string]variable, mode string) (*cel.Env, map[string]any) {
	options := []cel.EnvOption{
		ext.Strings(), cel.OptionalTypes(), ext.Bindings(), library.Lists(), library.Quantity(), library.URLs(), library.Regex(),
	}
	activation := map[string]any{}
	var declared []*apiservercel.DeclType
	for name, v := range variables {
		data := numbers(v.Data)
		schema := &openapi.Schema{Schema: v.Schema}
		if v.List {
			schema = &openapi.Schema{Schema: spec.ArrayProperty(v.Schema)}
		}
		if mode == "dyn" {
			options = append(options, cel.Variable(name, cel.DynType))
			activation[name] = data
			continue
		}
		ty := common.SchemaDeclType(schema, false).MaybeAssignTypeName("__type_" + name)
		declared = append(declared, ty)
		options = append(options, cel.Variable(name, ty.CelType()))
		activation[name] = common.UnstructuredToVal(data, schema)
	}
	env, err := cel.NewEnv(options...)
	must(err)
	if mode == "typed" {
		provider := apiservercel.NewDeclTypeProvider(declared...)
		typed, err := provider.EnvOptions(env.CELTypeProvider())
		must(err)
		env, err = env.Extend(typed...)
		must(err)
	}
	return env, activation
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
