package cli

import "github.com/spf13/cobra"

func (a *app) topicCommand() *cobra.Command {
	return &cobra.Command{Use: "topic"}
}

func (a *app) topicsAlias() *cobra.Command {
	return &cobra.Command{Use: "topics", Hidden: true}
}
