package controller

import (
	"github.com/ottla/ottla/internal/kafka"
	"strings"
)

type collisions map[string]map[string]bool

func (c collisions) add(name string)    {}
func (c collisions) remove(name string) {}

var _ = strings.Replace

func (cfg Config) withDefaults() Config                                  { panic("soon") }
func (CreateTopics) handle(*Controller, turn) (Result, error)            { panic("soon") }
func (DeleteTopics) handle(*Controller, turn) (Result, error)            { panic("soon") }
func (CreatePartitions) handle(*Controller, turn) (Result, error)        { panic("soon") }
func (IncrementalAlterConfigs) handle(*Controller, turn) (Result, error) { panic("soon") }
func (AlterConfigs) handle(*Controller, turn) (Result, error)            { panic("soon") }
func (RegisterBroker) handle(*Controller, turn) (Result, error)          { panic("soon") }
func (Heartbeat) handle(*Controller, turn) (Result, error)               { panic("soon") }
func (Disconnected) handle(*Controller, turn) (Result, error)            { panic("soon") }
func (UnregisterBroker) handle(*Controller, turn) (Result, error)        { panic("soon") }
func (RegisterController) handle(*Controller, turn) (Result, error)      { panic("soon") }
func (AllocateProducerIDs) handle(*Controller, turn) (Result, error)     { panic("soon") }
func (UpdateFeatures) handle(*Controller, turn) (Result, error)          { panic("soon") }
func (AlterPartition) handle(*Controller, turn) (Result, error)          { panic("soon") }
func (ElectLeaders) handle(*Controller, turn) (Result, error)            { panic("soon") }
func (AssignReplicasToDirs) handle(*Controller, turn) (Result, error)    { panic("soon") }
func (Activate) handle(*Controller, turn) (Result, error)                { panic("soon") }
func (Expire) handle(*Controller, turn) (Result, error)                  { panic("soon") }

var _ kafka.Offset
