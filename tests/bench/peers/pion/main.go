// Command pion is the other stack of the transport bench: a device made of pion/webrtc that answers
// a browser over HTTP, echoes on channel 0 and sends or counts bulk data on channel 1. It speaks
// the same few requests as tests/bench/transport/device.ts.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// How much may wait in the bulk channel, in bytes, as in pion's own example of flow control.
const (
	highWater = 1 << 20
	lowWater  = 512 << 10
)

// start is what times are counted from.
var start = time.Now()

// device holds the current connection; an offer replaces it.
type device struct {
	api *webrtc.API

	mu      sync.Mutex
	current *session
}

type session struct {
	connection *webrtc.PeerConnection
	bulk       *webrtc.DataChannel
	open       chan struct{}
	low        chan struct{}
	ended      chan struct{}
	endOnce    sync.Once

	mu       sync.Mutex
	received int
	arrived  chan struct{} // closed and replaced with each message
}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	d := &device{api: webrtc.NewAPI(webrtc.WithSettingEngine(settings))}
	http.HandleFunc("/", blank)
	http.HandleFunc("/offer", d.offer)
	http.HandleFunc("/send", d.send)
	http.HandleFunc("/received", d.count)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d,\"pid\":%d}\n", listener.Addr().(*net.TCPAddr).Port, os.Getpid())
	log.Fatal(http.Serve(listener, nil))
}

// blank is the page that the bench puts its script into: browsers want it to come from here.
func blank(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "text/html")
	_, _ = w.Write([]byte("<!doctype html>"))
}

// offer takes a session description and answers with one that has all candidates.
func (d *device) offer(w http.ResponseWriter, r *http.Request) {
	var offer webrtc.SessionDescription
	if err := json.NewDecoder(r.Body).Decode(&offer); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s, err := newSession(d.api)
	if err == nil {
		d.replace(s)
		err = s.answer(offer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(s.connection.LocalDescription())
}

func (d *device) replace(s *session) {
	d.mu.Lock()
	old := d.current
	d.current = s
	d.mu.Unlock()
	if old != nil {
		old.end()
		_ = old.connection.Close()
	}
}

func (d *device) session() *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

// send starts a transfer on the bulk channel: ?bytes=N&size=S.
func (d *device) send(w http.ResponseWriter, r *http.Request) {
	s := d.session()
	if s == nil {
		http.Error(w, "no session", http.StatusConflict)
		return
	}
	go s.send(number(r, "bytes"), number(r, "size"))
	w.WriteHeader(http.StatusNoContent)
}

// count waits until so many bytes have come on the bulk channel, or for so many ms: ?bytes=N&limit=MS.
// It gives how many have come in all, and when that was looked at, in ms.
func (d *device) count(w http.ResponseWriter, r *http.Request) {
	s := d.session()
	if s == nil {
		http.Error(w, "no session", http.StatusConflict)
		return
	}
	bytes := s.wait(number(r, "bytes"), time.Duration(number(r, "limit"))*time.Millisecond)
	at := float64(time.Since(start).Microseconds()) / 1000
	_ = json.NewEncoder(w).Encode(map[string]any{"bytes": bytes, "at": at})
}

func newSession(api *webrtc.API) (*session, error) {
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	s := &session{
		connection: connection,
		open:       make(chan struct{}),
		low:        make(chan struct{}, 1),
		ended:      make(chan struct{}),
		arrived:    make(chan struct{}),
	}
	control, err := negotiated(connection, 0, "control")
	if err != nil {
		return nil, err
	}
	control.OnMessage(func(m webrtc.DataChannelMessage) { _ = control.Send(m.Data) })
	if s.bulk, err = negotiated(connection, 1, "bulk"); err != nil {
		return nil, err
	}
	s.bulk.OnOpen(func() { close(s.open) })
	s.bulk.OnMessage(s.receive)
	s.bulk.SetBufferedAmountLowThreshold(lowWater)
	s.bulk.OnBufferedAmountLow(func() {
		select {
		case s.low <- struct{}{}:
		default:
		}
	})
	return s, nil
}

func negotiated(connection *webrtc.PeerConnection, id uint16, label string) (*webrtc.DataChannel, error) {
	yes := true
	return connection.CreateDataChannel(label, &webrtc.DataChannelInit{Negotiated: &yes, ID: &id})
}

func (s *session) answer(offer webrtc.SessionDescription) error {
	if err := s.connection.SetRemoteDescription(offer); err != nil {
		return err
	}
	answer, err := s.connection.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(s.connection)
	if err := s.connection.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	return nil
}

func (s *session) end() { s.endOnce.Do(func() { close(s.ended) }) }

func (s *session) send(total, size int) {
	if size <= 0 {
		return
	}
	select {
	case <-s.open:
	case <-s.ended:
		return
	}
	message := make([]byte, size)
	for sent := 0; sent < total; sent += size {
		for s.bulk.BufferedAmount() > highWater {
			select {
			case <-s.low:
			case <-s.ended:
				return
			case <-time.After(100 * time.Millisecond): // a signal may have come too early
			}
		}
		if s.bulk.Send(message[:min(size, total-sent)]) != nil {
			return
		}
	}
}

func (s *session) receive(m webrtc.DataChannelMessage) {
	s.mu.Lock()
	s.received += len(m.Data)
	arrived := s.arrived
	s.arrived = make(chan struct{})
	s.mu.Unlock()
	close(arrived)
}

func (s *session) wait(bytes int, limit time.Duration) int {
	end := time.After(limit)
	for {
		s.mu.Lock()
		received, arrived := s.received, s.arrived
		s.mu.Unlock()
		if received >= bytes {
			return received
		}
		select {
		case <-arrived:
		case <-s.ended:
			return received
		case <-end:
			return received
		}
	}
}

func number(r *http.Request, name string) int {
	value, _ := strconv.Atoi(r.URL.Query().Get(name))
	return value
}
