package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// exceptionOf is the class that a Java client would throw.
func exceptionOf(err error) string {
	class := "KafkaException"
	var code *kerr.Error
	switch {
	case errors.As(err, &code):
		if known, ok := exceptions[code.Code]; ok {
			class = known.class
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, kgo.ErrRecordRetries):
		class = "TimeoutException"
	}
	return "org.apache.kafka.common.errors." + class
}

// sendPlan is what the command line of a verifiable producer asks for.
type sendPlan struct {
	settings   settings
	topic      string
	most       int64 // records, -1 for no end
	throughput int64
	prefix     string
	keys       int32 // 0 for none
	created    int64 // milliseconds, -1 for now
}

func verifiableProducer(ctx context.Context, w *World, args []string) int {
	c := jopt.NewCommand("verifiable-producer", "Produces increasing numbers and prints what became of each.")
	topic := c.Option("Produce to this topic.", "--topic").Required()
	server := c.Option("The servers to begin with.", "--bootstrap-server").Required()
	most := c.Option("Produce so many records; -1 for no end.", "--max-messages").Int().Default("-1")
	throughput := c.Option("At most so many records a second.", "--throughput").Int().Default("-1")
	wanted := c.Option("The acks that are wanted.", "--acks").Int().Choices("0", "1", "-1").Default("-1")
	oldConfig := c.Option("The old name of --command-config.", "--producer.config")
	created := c.Option("Timestamps begin with this one, in milliseconds.", "--message-create-time").Default("-1")
	prefix := c.Option("Values begin with this number and a point.", "--value-prefix").Int()
	keys := c.Option("Keys are numbers from 0, and so many.", "--repeating-keys").Int()
	config := c.Option("A file of configurations.", "--command-config")
	if len(args) == 0 {
		args = []string{"--help"}
	}
	f, exit, goOn := w.parseCommand(c, args)
	if !goOn {
		return exit
	}
	p := &sendPlan{topic: f.Value(topic), most: int64(f.Int(most)), throughput: int64(f.Int(throughput)), keys: f.Int(keys)}
	if f.Has(prefix) {
		p.prefix = f.Value(prefix) + "."
	}
	var err error
	if p.created, err = wholeNumber(f, created); err == nil {
		p.settings, err = verifiableSettings(w, f, oldConfig, config)
	}
	if err != nil {
		return w.argFail("verifiable-producer", err)
	}
	base := settings{bootstrapServers: f.Value(server), "acks": f.Value(wanted), "retries": "0"}
	for k, v := range p.settings {
		base[k] = v
	}
	if p.created >= 0 {
		base["delivery.timeout.ms"] = "0" // the client would take old timestamps for old records
	}
	p.settings = base
	asked, restore := w.Interruptible(ctx)
	defer restore()
	if err := p.run(asked, w); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

// verifiableSettings are those of a file, under the old name of its option or the new one.
func verifiableSettings(w *World, f *jopt.Found, oldConfig, config *jopt.Arg) (settings, error) {
	file := f.Value(config)
	if f.Has(oldConfig) {
		if f.Has(config) {
			return nil, fmt.Errorf("Options %s and --command-config are mutually exclusive.", oldConfig.Name())
		}
		w.println("Option " + oldConfig.Name() + " has been deprecated and will be removed in a future version. Use --command-config instead.")
		file = f.Value(oldConfig)
	}
	return readSettings(file)
}

func (p *sendPlan) run(ctx context.Context, w *World) error {
	opts, err := p.settings.producer(p.topic, 0)
	if err != nil {
		return err
	}
	c, err := open(p.settings, opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	out := &events{w: w}
	began := w.Now()
	out.plain("startup_complete")
	if err := c.awaitTopic(ctx, p.settings, p.topic); err != nil {
		return err
	}
	var acked atomic.Int64
	sent := p.send(ctx, w, func(r *kgo.Record) {
		c.Produce(context.WithoutCancel(ctx), r, func(r *kgo.Record, err error) {
			if err == nil {
				acked.Add(1)
			}
			out.acked(r, err)
		})
	})
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lasting)
	defer cancel()
	_ = c.Flush(last) // what is not acknowledged by then is not counted
	out.plain("shutdown_complete")
	seconds := max(w.Now().Sub(began), time.Millisecond).Seconds()
	out.print("tool_data", func(at event) any {
		return summary{at, sent, acked.Load(), p.throughput, float64(acked.Load()) / seconds}
	})
	return nil
}

// send makes records until there are enough, or the tool is to stop, and returns how many.
func (p *sendPlan) send(ctx context.Context, w *World, produce func(*kgo.Record)) (sent int64) {
	hold := throttle{target: float64(p.throughput), began: w.Now()}
	if p.throughput == 0 {
		hold.target = -1
	}
	for ; (p.most < 0 || sent < p.most) && ctx.Err() == nil; sent++ {
		now := w.Now()
		r := &kgo.Record{Value: []byte(p.prefix + strconv.FormatInt(sent, 10))}
		if p.keys > 0 {
			r.Key = strconv.AppendInt(nil, sent%int64(p.keys), 10)
		}
		if p.created >= 0 {
			r.Timestamp = time.UnixMilli(p.created)
			p.created += now.Sub(hold.began).Milliseconds()
		}
		produce(r)
		hold.hold(ctx, sent, now)
	}
	return sent
}
