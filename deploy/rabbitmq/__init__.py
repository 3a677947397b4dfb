"""RabbitMQ's part of a deployment: its definitions file."""
