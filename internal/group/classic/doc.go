// Package classic is a group of the classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
//
// Layer 2, pure; part of package group.
package classic
