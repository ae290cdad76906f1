
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'mqtt' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'mqtt'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'mqtt' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Start a broker in this terminal')
            [CompletionResult]::new('pub', 'pub', [CompletionResultType]::ParameterValue, 'Publish messages')
            [CompletionResult]::new('sub', 'sub', [CompletionResultType]::ParameterValue, 'Subscribe to topics and print what arrives')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Measure a broker''s throughput and latency')
            break
        }
        'mqtt;serve' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Name or address to listen on')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Name or address to listen on')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port to listen on, 0 for any free one')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to listen on, 0 for any free one')
            [CompletionResult]::new('--max-packet-size', '--max-packet-size', [CompletionResultType]::ParameterName, 'Largest packet taken from a client, in bytes')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Threads that sessions are spread over [default: one per processor]')
            [CompletionResult]::new('--max-queued', '--max-queued', [CompletionResultType]::ParameterName, 'Messages kept for a session whose client is away or does not keep up; beyond it new ones are dropped')
            [CompletionResult]::new('--max-queued-bytes', '--max-queued-bytes', [CompletionResultType]::ParameterName, 'Bytes kept for such a session')
            [CompletionResult]::new('--sys-interval', '--sys-interval', [CompletionResultType]::ParameterName, 'Time between two updates of the $SYS topics, 0 for none')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'Answer Prometheus at http://ADDRESS/metrics, for example 127.0.0.1:9883')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Print every packet on stdout, as a line of text or of JSON')
            [CompletionResult]::new('--trace-client', '--trace-client', [CompletionResultType]::ParameterName, 'Trace only the packets of this client; may be repeated')
            [CompletionResult]::new('--trace-topic', '--trace-topic', [CompletionResultType]::ParameterName, 'Trace only packets with a topic that this filter matches; may be repeated')
            [CompletionResult]::new('--trace-payload', '--trace-payload', [CompletionResultType]::ParameterName, 'Show this much of a payload in the trace')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Say what is logged as lines of text or of JSON')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write the URL to FILE once connections are accepted')
            [CompletionResult]::new('--queue-qos0', '--queue-qos0', [CompletionResultType]::ParameterName, 'Keep QoS 0 messages too for clients that are away')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the ready line as JSON')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say who connects, disconnects and subscribes; twice: every message too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say who connects, disconnects and subscribes; twice: every message too')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mqtt;pub' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Topic to publish to; also the path of --url')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Topic to publish to; also the path of --url')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Quality of service: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'Quality of service: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Send TEXT')
            [CompletionResult]::new('--message', '--message', [CompletionResultType]::ParameterName, 'Send TEXT')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Send the contents of FILE as one message')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Send the contents of FILE as one message')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Send the message N times')
            [CompletionResult]::new('--repeat-delay', '--repeat-delay', [CompletionResultType]::ParameterName, 'Pause between the completion of one message and the next')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of FILE')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Longest time from the first look-up to the broker''s CONNACK')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id [default: a random one]')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Client id [default: a random one]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Client id made of PREFIX and the process id')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'Client id made of PREFIX and the process id')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'Topic of the message the broker publishes when this client is cut off')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'Payload of the will [default: empty]')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'Quality of service of the will')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Let the broker keep the message for later subscribers')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'Let the broker keep the message for later subscribers')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Report each delivery on stderr when it is complete')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Report each delivery on stderr when it is complete')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Send all of stdin as one message')
            [CompletionResult]::new('--stdin-file', '--stdin-file', [CompletionResultType]::ParameterName, 'Send all of stdin as one message')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again')
            [CompletionResult]::new('--stdin-line', '--stdin-line', [CompletionResultType]::ParameterName, 'Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Send an empty message, which with --retain deletes the one the broker keeps')
            [CompletionResult]::new('--null-message', '--null-message', [CompletionResultType]::ParameterName, 'Send an empty message, which with --retain deletes the one the broker keeps')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Keep the session on the broker when this client leaves; needs --id')
            [CompletionResult]::new('--disable-clean-session', '--disable-clean-session', [CompletionResultType]::ParameterName, 'Keep the session on the broker when this client leaves; needs --id')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Make the will a retained message')
            break
        }
        'mqtt;sub' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Topic filter to subscribe to, as often as wanted; also the path of --url')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Topic filter to subscribe to, as often as wanted; also the path of --url')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'End after N messages were printed')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after N messages were printed')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'End with status 27 after this time, counted from the start of the program')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End with status 27 after this time, counted from the start of the program')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Do not print messages whose topic matches this filter, as often as wanted')
            [CompletionResult]::new('--filter-out', '--filter-out', [CompletionResultType]::ParameterName, 'Do not print messages whose topic matches this filter, as often as wanted')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Print each message in this form, with the specifiers of mosquitto_sub')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print each message in this form, with the specifiers of mosquitto_sub')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of FILE')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Longest time from the first look-up to the broker''s CONNACK')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Client id [default: a random one]')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Client id [default: a random one]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'Client id made of PREFIX and the process id')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'Client id made of PREFIX and the process id')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'Topic of the message the broker publishes when this client is cut off')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'Payload of the will [default: empty]')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'Quality of service of the will')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'Do not print retained messages')
            [CompletionResult]::new('--no-retained', '--no-retained', [CompletionResultType]::ParameterName, 'Do not print retained messages')
            [CompletionResult]::new('--retained-only', '--retained-only', [CompletionResultType]::ParameterName, 'Print the retained messages only, and end when no more come: at the first other message or after a quiet second')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the topic before the payload, and (null) for an empty payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the topic before the payload, and (null) for an empty payload')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one line of JSON for each message')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Do not end each message with a line feed')
            [CompletionResult]::new('--no-line-feed', '--no-line-feed', [CompletionResultType]::ParameterName, 'Do not end each message with a line feed')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Keep the session on the broker when this client leaves; needs --id')
            [CompletionResult]::new('--disable-clean-session', '--disable-clean-session', [CompletionResultType]::ParameterName, 'Keep the session on the broker when this client leaves; needs --id')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Make the will a retained message')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mqtt;bench' {
            [CompletionResult]::new('--publishers', '--publishers', [CompletionResultType]::ParameterName, 'Connections that publish')
            [CompletionResult]::new('--subscribers', '--subscribers', [CompletionResultType]::ParameterName, 'Connections that subscribe')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Messages per second, all publishers together, as 500, 20k or 1.5M; or max: as fast as flow control allows, which is TCP''s at QoS 0 and --window at QoS 1 and 2')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'How long to measure [default: 5s]')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Measure this many messages, all publishers together, instead of a time')
            [CompletionResult]::new('--warmup', '--warmup', [CompletionResultType]::ParameterName, 'Load before the measurement that does not count [default: 1s, with --count 0s]')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'Bytes of payload, at least 16: it begins with the measurement header')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Quality of service of publishes and subscriptions')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'Quality of service of publishes and subscriptions')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker''s receive maximum says so')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Topic; %i is the client''s number from 1, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in [default: bench/RUN/%i]')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'Topic; %i is the client''s number from 1, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in [default: bench/RUN/%i]')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'What the subscribers subscribe to, when it is not the topic; %i is then each client''s own number')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Threads that share the connections [default: one for each processor]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host name or address of the broker [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port of the broker [default: 1883]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'User name [env: MQTT_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of FILE')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'Protocol version')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'Longest time from the first look-up to the broker''s CONNACK')
            [CompletionResult]::new('--serve', '--serve', [CompletionResultType]::ParameterName, 'Measure the broker of this program, started in the same process on a free port')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON: its schema has a number, latencies are in microseconds, rates in messages per second')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'One line on stderr every second while the load runs')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'One line on stderr every second while the load runs')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
