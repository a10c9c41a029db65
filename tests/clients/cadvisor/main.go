// SPDX-License-Identifier: MIT

// cAdvisor, put together from its own packages as its cmd does: that package is
// not to be had as a Go module. The manager with the raw and the containerd
// factories, /metrics, /api/v1.3 for machine and containers, and /validate/.
package main

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	_ "github.com/google/cadvisor/container/containerd/install"
	info "github.com/google/cadvisor/info/v1"
	v2 "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/google/cadvisor/validate"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

var address = flag.String("listen", "127.0.0.1:8080", "address to listen on")

// What cAdvisor leaves out when it is not told otherwise, and what needs hardware.
var leftOut = container.MetricSet{
	container.MemoryNumaMetrics: {}, container.NetworkTcpUsageMetrics: {},
	container.NetworkUdpUsageMetrics: {}, container.NetworkAdvancedTcpUsageMetrics: {},
	container.ReferencedMemoryMetrics: {}, container.CPUTopologyMetrics: {},
	container.ResctrlMetrics: {}, container.PerfMetrics: {},
}

const api = "/api/v1.3/"

// answer writes what the API has under a path: machine, containers/NAME, subcontainers/NAME.
func answer(m manager.Manager, path string) (any, error) {
	query := &info.ContainerInfoRequest{NumStats: 60}
	kind, name, _ := strings.Cut(strings.TrimPrefix(path, api), "/")
	switch kind {
	case "machine":
		return m.GetMachineInfo()
	case "containers":
		return m.GetContainerInfo("/"+name, query)
	default:
		return m.SubcontainersInfo("/"+name, query)
	}
}

func serveAPI(m manager.Manager) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, err := answer(m, r.URL.Path)
		if err == nil {
			err = json.NewEncoder(w).Encode(found)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

func main() {
	klog.InitFlags(nil)
	flag.Parse()
	included := container.AllMetrics.Difference(leftOut)
	m, err := manager.New(memory.New(2*time.Minute, nil), sysfs.NewRealSysFs(),
		manager.HousekeepingConfigFlags, included, http.DefaultClient, []string{"/"}, nil, "", 0)
	if err != nil {
		klog.Fatal(err)
	}
	if err := m.Start(); err != nil {
		klog.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(m, metrics.DefaultContainerLabels, included, clock.RealClock{},
			v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}),
		metrics.NewPrometheusMachineCollector(m, included))
	http.Handle("/metrics", promhttp.HandlerFor(registry,
		promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc(api, serveAPI(m))
	http.HandleFunc("/validate/", func(w http.ResponseWriter, _ *http.Request) {
		_ = validate.HandleRequest(w, m)
	})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-ended
		_ = m.Stop()
		os.Exit(0)
	}()
	klog.Fatal(http.ListenAndServe(*address, nil))
}
