package schema

import (
	"errors"
	"testing"
)

// The lines are files that Apache Kafka wrote.
func TestQuorumState(t *testing.T) {
	for _, text := range []string{
		`{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}`,
		`{"clusterId":"","leaderId":-1,"leaderEpoch":0,"votedId":-1,"appliedOffset":0,"currentVoters":[],"data_version":0}`,
		`{"leaderId":3,"leaderEpoch":7,"votedId":2,"votedDirectoryId":"mvETOT32SC2ZDtB7gmfbjg","data_version":1}`,
		`{"leaderId":-1,"leaderEpoch":0,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}`,
	} {
		q, v, err := ParseQuorumState([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v == 0 && q.CurrentVoters == nil {
			q.CurrentVoters = []QuorumStateVoter{}
		}
		if got := string(AppendQuorumState(nil, &q, v)); got != text {
			t.Errorf("%s\nwritten again: %s", text, got)
		}
	}
}

func TestQuorumStateRefused(t *testing.T) {
	f := func(want error, text string) {
		t.Helper()
		if _, _, err := ParseQuorumState([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	f(ErrMalformed, ``)
	f(ErrMalformed, `{}`)
	f(ErrMalformed, `{"leaderId":1,"leaderEpoch":1,"votedId":-1`)
	f(ErrMalformed, `{"leaderId":1,"leaderEpoch":1,"data_version":1}`)
	f(ErrMalformed, `{"leaderId":1,"leaderEpoch":1,"votedId":-1,"data_version":1}`)
	f(ErrMalformed, `{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"x","data_version":1}`)
	f(ErrMalformed, `{"leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"data_version":0}`)
	f(ErrMalformed, `{"leaderId":99999999999,"leaderEpoch":1,"votedId":-1,"data_version":1}`)
	f(ErrVersion, `{"leaderId":1,"leaderEpoch":1,"votedId":-1,"data_version":2}`)
}
