package kafka

// Release is the release of Apache Kafka whose behaviour this build follows.
const Release = "4.4.0"
