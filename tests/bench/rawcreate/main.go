// SPDX-License-Identifier: MIT

// rawcreate is the limit that the server is compared with: it posts the given objects in parallel, as fast as the API
// server takes them, keeps no database, reads nothing before it writes, and watches Deployments and database Clusters
// (one watch each) until all run. Standard library only.
//
//	rawcreate -server URL -ca FILE -token-file FILE [-c N] [-wait=false] <OBJECTS   (as bench_objects writes them)
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type object struct {
	Path, Kind string
	Body       json.RawMessage
}

type seen struct {
	Metadata struct{ Name string }
	Status   struct {
		ReadyReplicas int
		Phase         string
	}
}

// isUp says when an object of a kind that is waited for runs.
var isUp = map[string]func(seen) bool{
	"Deployment": func(s seen) bool { return s.Status.ReadyReplicas >= 1 },
	"Cluster":    func(s seen) bool { return s.Status.Phase == "Running" },
}

type client struct {
	http   *http.Client
	server string
	token  string
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "rawcreate:", err)
		os.Exit(1)
	}
}

func newClient(server, ca, tokenFile string, workers int) *client {
	pem, err := os.ReadFile(ca)
	must(err)
	token, err := os.ReadFile(tokenFile)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: workers, DisableCompression: true}
	return &client{&http.Client{Transport: transport}, strings.TrimRight(server, "/"), strings.TrimSpace(string(token))}
}

func (c *client) do(method, path string, body []byte) *http.Response {
	r, err := http.NewRequest(method, c.server+path, bytes.NewReader(body))
	must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "rawcreate")
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.http.Do(r)
	must(err)
	return answer
}

// waiter counts the objects of one kind that are still to come up.
type waiter struct {
	mu   sync.Mutex
	left map[string]bool
	up   func(seen) bool
	last time.Time
	done chan struct{}
}

func (w *waiter) mark(s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.left[s.Metadata.Name] || !w.up(s) {
		return
	}
	delete(w.left, s.Metadata.Name)
	if len(w.left) == 0 {
		w.last = time.Now()
		close(w.done)
	}
}

func (w *waiter) list(c *client, path string) string {
	answer := c.do("GET", path, nil)
	defer answer.Body.Close()
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []seen
	}
	must(json.NewDecoder(answer.Body).Decode(&list))
	for _, s := range list.Items {
		w.mark(s)
	}
	return list.Metadata.ResourceVersion
}

// watch follows the kind for ever; begun is closed when the first stream stands.
func (w *waiter) watch(c *client, path string, begun chan struct{}) {
	for first := true; ; first = false {
		version := w.list(c, path)
		answer := c.do("GET", path+"?watch=1&resourceVersion="+version, nil)
		if first {
			close(begun)
		}
		decoder := json.NewDecoder(bufio.NewReaderSize(answer.Body, 1<<20))
		for {
			var event struct {
				Type   string
				Object seen
			}
			if decoder.Decode(&event) != nil || event.Type == "ERROR" {
				break
			}
			w.mark(event.Object)
		}
		answer.Body.Close()
	}
}

func readObjects(in io.Reader) []object {
	var all []object
	decoder := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	for {
		var o object
		if err := decoder.Decode(&o); err == io.EOF {
			return all
		} else {
			must(err)
		}
		all = append(all, o)
	}
}

func startWaiters(c *client, objects []object) []*waiter {
	byPath := map[string]*waiter{}
	var all []*waiter
	for _, o := range objects {
		up := isUp[o.Kind]
		if up == nil {
			continue
		}
		w := byPath[o.Path]
		if w == nil {
			w = &waiter{left: map[string]bool{}, up: up, done: make(chan struct{})}
			byPath[o.Path] = w
			all = append(all, w)
		}
		var s seen
		must(json.Unmarshal(o.Body, &s))
		w.left[s.Metadata.Name] = true
	}
	for path, w := range byPath {
		begun := make(chan struct{})
		go w.watch(c, path, begun)
		<-begun
	}
	return all
}

type totals struct {
	mu        sync.Mutex
	requests  int
	failed    int
	latencies []time.Duration
}

func (t *totals) add(latency time.Duration, tries int, is_good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests += tries
	t.latencies = append(t.latencies, latency)
	if !is_good {
		t.failed++
	}
}

// post tries again what is too much for the server or comes before what it refers to (a RoleBinding before its Role).
func (c *client) post(o object, t *totals) {
	began := time.Now()
	for tries := 1; ; tries++ {
		answer := c.do("POST", o.Path, o.Body)
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		isEarly := answer.StatusCode == 429 || (o.Kind == "RoleBinding" && answer.StatusCode == 404)
		if isEarly && tries < 100 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if answer.StatusCode != 201 {
			fmt.Fprintln(os.Stderr, answer.StatusCode, o.Path, string(text))
		}
		t.add(time.Since(began), tries, answer.StatusCode == 201)
		return
	}
}

func postAll(c *client, objects []object, workers int) *totals {
	jobs := make(chan object, len(objects))
	for _, o := range objects {
		jobs <- o
	}
	close(jobs)
	var t totals
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for o := range jobs {
				c.post(o, &t)
			}
		}()
	}
	group.Wait()
	return &t
}

func main() {
	server := flag.String("server", "", "URL of the API server")
	ca := flag.String("ca", "", "file with its CA's certificate")
	tokenFile := flag.String("token-file", "", "file with a bearer token")
	workers := flag.Int("c", 64, "requests in flight")
	wait := flag.Bool("wait", true, "watch until all run")
	within := flag.Duration("within", 10*time.Minute, "how long to wait")
	flag.Parse()

	objects := readObjects(os.Stdin)
	c := newClient(*server, *ca, *tokenFile, *workers)
	var group sync.WaitGroup
	for i := 0; i < *workers; i++ { // the connections stand before the clock runs
		group.Add(1)
		go func() {
			defer group.Done()
			answer := c.do("GET", "/version", nil)
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}()
	}
	group.Wait()
	var waiters []*waiter
	if *wait {
		waiters = startWaiters(c, objects)
	}
	began := time.Now()
	t := postAll(c, objects, *workers)
	written := time.Since(began)
	last := began
	for _, w := range waiters {
		select {
		case <-w.done:
		case <-time.After(*within):
			must(fmt.Errorf("%d objects do not come up", len(w.left)))
		}
		if w.last.After(last) {
			last = w.last
		}
	}
	sort.Slice(t.latencies, func(i, j int) bool { return t.latencies[i] < t.latencies[j] })
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"objects": len(objects), "requests": t.requests, "failed": t.failed, "written_s": written.Seconds(),
		"running_s": last.Sub(began).Seconds(), "post_p50_ms": t.latencies[len(t.latencies)/2].Seconds() * 1e3}))
	if t.failed > 0 {
		os.Exit(1)
	}
}
