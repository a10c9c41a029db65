// SPDX-License-Identifier: MIT

//go:build tools

// Package tools names the program that the module is for, so that go mod tidy pins what it needs.
package tools

import _ "k8s.io/kubernetes/cmd/kubelet"
