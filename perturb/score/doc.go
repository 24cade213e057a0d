// Package score judges predicted perturbations against real ones.
package score
