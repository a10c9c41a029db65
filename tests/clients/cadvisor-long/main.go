// SPDX-License-Identifier: MIT

// The library that cAdvisor is since 0.60, and that kubelets from 1.37 on use, as ../cadvisor has the older
// one: the manager with the raw and the containerd factories, /metrics, and /api/v1.3 for machine and
// containers. It has no /validate/.
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

	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	_ "github.com/google/cadvisor/lib/container/containerd/install"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	info "github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
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

func answer(w http.ResponseWriter, found any, err error) {
	if err == nil {
		err = json.NewEncoder(w).Encode(found)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func main() {
	klog.InitFlags(nil)
	flag.Parse()
	included := container.AllMetrics.Difference(leftOut)
	m, err := manager.New(memory.New(2*time.Minute, nil), sysfs.NewRealSysFs(),
		manager.HousekeepingConfigFlags, included, []string{"/"}, nil, "", 0)
	if err != nil {
		klog.Fatal(err)
	}
	if err := m.Start(); err != nil {
		klog.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(m, metrics.DefaultContainerLabels, included, clock.RealClock{},
			info.RequestOptions{IdType: info.TypeName, Count: 1, Recursive: true}),
		metrics.NewPrometheusMachineCollector(m, included))
	http.Handle("/metrics", promhttp.HandlerFor(registry,
		promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	http.HandleFunc(api+"machine", func(w http.ResponseWriter, _ *http.Request) {
		found, err := m.GetMachineInfo()
		answer(w, found, err)
	})
	http.HandleFunc(api+"containers/", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, api+"containers")
		found, err := m.GetContainerInfo(name, &info.ContainerInfoRequest{NumStats: 60})
		answer(w, found, err)
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
