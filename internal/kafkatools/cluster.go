package kafkatools

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// clusterMain is kafka-cluster.
func clusterMain(ctx context.Context, w *World, args []string) int {
	c := jopt.NewCommand("kafka-cluster", "The Kafka cluster tool.")
	connections := map[string]*connectionArgs{}
	sub := func(name, about string) *jopt.Command {
		s := c.Sub(name, about)
		connections[name] = connectsArgs(s, "--config", "-c")
		return s
	}
	sub("cluster-id", "Print the id of the cluster.")
	unregister := sub("unregister", "Take a broker that is gone out of the metadata.")
	id := unregister.Option("The id of the broker.", "--id", "-i").Int().Required()
	list := sub("list-endpoints", "List the nodes and their addresses.")
	fenced := list.Flag("List fenced brokers too.", "--include-fenced-brokers")
	f, exit, goOn := w.parseCommand(c, args)
	if !goOn {
		return exit
	}
	conn := connections[f.Sub]
	if f.Has(conn.configs[1]) {
		w.println("Option --config has been deprecated and will be removed in a future version. Use --command-config instead.")
	}
	err := func() error {
		all, err := conn.settings(f)
		if err != nil {
			return err
		}
		if all[bootstrapServers] == "" {
			return errNoServer
		}
		cl, err := open(all)
		if err != nil {
			return err
		}
		defer cl.Close()
		switch f.Sub {
		case "cluster-id":
			return printClusterID(ctx, w, cl)
		case "unregister":
			return unregisterBroker(ctx, w, cl, f.Int(id))
		}
		controllers := f.Has(conn.controller)
		if controllers && f.Has(fenced) {
			return errors.New("The option --include-fenced-brokers is only supported with --bootstrap-server option")
		}
		return listEndpoints(ctx, w, cl, controllers, f.Has(fenced))
	}()
	if err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func printClusterID(ctx context.Context, w *World, c *client) error {
	id, _, err := c.cluster(ctx, kmsg.NewPtrDescribeClusterRequest())
	if err == nil {
		w.println("Cluster ID: " + id)
	}
	return err
}

func unregisterBroker(ctx context.Context, w *World, c *client, id int32) error {
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = id
	resp, err := ask[*kmsg.UnregisterBrokerResponse](ctx, c, "unregisterBroker", req)
	if errors.Is(err, errNoSuchAPI) {
		w.println("The target cluster does not support the broker unregistration API.")
		return nil
	}
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err == nil {
		w.printf("Broker %d is no longer registered.\n", id)
	}
	return err
}

func listEndpoints(ctx context.Context, w *World, c *client, controllers, fenced bool) error {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.EndpointType, req.IncludeFencedBrokers = brokerEndpoints, fenced
	if controllers {
		req.EndpointType = controllerEndpoints
	}
	_, nodes, err := c.cluster(ctx, req)
	controllers = req.EndpointType == controllerEndpoints
	if errors.Is(err, errNoSuchAPI) {
		w.println(err)
		return nil
	}
	if err != nil {
		return err
	}
	host, rack := 0, 0
	for _, n := range nodes {
		host = max(host, len(n.host))
		if n.rack != nil {
			rack = max(rack, len(*n.rack))
		}
	}
	if len(nodes) == 0 {
		host = 100
	}
	if rack == 0 {
		rack = 10
	}
	row := func(id, where, port, in, state, kind string) {
		w.printf("%-10s %-*s %-10s %-*s ", id, host, where, port, rack, in)
		if !controllers {
			w.printf("%-10s ", state)
		}
		w.printf("%-15s\n", kind)
	}
	row("ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE")
	for _, n := range nodes {
		state, kind := "unfenced", "broker"
		if n.fenced {
			state = "fenced"
		}
		if controllers {
			kind = "controller"
		}
		row(fmt.Sprint(n.id), n.host, fmt.Sprint(n.port), orNull(n.rack), state, kind)
	}
	return nil
}
