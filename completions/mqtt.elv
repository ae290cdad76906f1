
use builtin;
use str;

set edit:completion:arg-completer[mqtt] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'mqtt'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'mqtt'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand serve 'Start a broker in this terminal'
            cand pub 'Publish messages'
            cand sub 'Subscribe to topics and print what arrives'
            cand bench 'Measure a broker''s throughput and latency'
        }
        &'mqtt;serve'= {
            cand -h 'Name or address to listen on'
            cand --host 'Name or address to listen on'
            cand -p 'Port to listen on, 0 for any free one'
            cand --port 'Port to listen on, 0 for any free one'
            cand --max-packet-size 'Largest packet taken from a client, in bytes'
            cand --workers 'Threads that sessions are spread over [default: one per processor]'
            cand --ready-file 'Write the URL to FILE once connections are accepted'
            cand --json 'Print the ready line as JSON'
            cand -v 'Say who connects, disconnects and subscribes; twice: every message too'
            cand --verbose 'Say who connects, disconnects and subscribes; twice: every message too'
            cand --help 'Print help'
        }
        &'mqtt;pub'= {
            cand -t 'Topic to publish to; also the path of --url'
            cand --topic 'Topic to publish to; also the path of --url'
            cand -q 'Quality of service: 0 at most once, 1 at least once, 2 exactly once'
            cand --qos 'Quality of service: 0 at most once, 1 at least once, 2 exactly once'
            cand -m 'Send TEXT'
            cand --message 'Send TEXT'
            cand -f 'Send the contents of FILE as one message'
            cand --file 'Send the contents of FILE as one message'
            cand --repeat 'Send the message N times'
            cand --repeat-delay 'Pause between the completion of one message and the next'
            cand -h 'Host name or address of the broker [default: localhost]'
            cand --host 'Host name or address of the broker [default: localhost]'
            cand -p 'Port of the broker [default: 1883]'
            cand --port 'Port of the broker [default: 1883]'
            cand -L 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]'
            cand --url 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]'
            cand -u 'User name [env: MQTT_USERNAME]'
            cand --username 'User name [env: MQTT_USERNAME]'
            cand -P 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --pw 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --password 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --password-file 'Read the password from the first line of FILE'
            cand -V 'Protocol version'
            cand --protocol-version 'Protocol version'
            cand -k 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none'
            cand --keepalive 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none'
            cand --connect-timeout 'Longest time from the first look-up to the broker''s CONNACK'
            cand -i 'Client id [default: a random one]'
            cand --id 'Client id [default: a random one]'
            cand -I 'Client id made of PREFIX and the process id'
            cand --id-prefix 'Client id made of PREFIX and the process id'
            cand --will-topic 'Topic of the message the broker publishes when this client is cut off'
            cand --will-payload 'Payload of the will [default: empty]'
            cand --will-qos 'Quality of service of the will'
            cand -r 'Let the broker keep the message for later subscribers'
            cand --retain 'Let the broker keep the message for later subscribers'
            cand -v 'Report each delivery on stderr when it is complete'
            cand --verbose 'Report each delivery on stderr when it is complete'
            cand --help 'Print help'
            cand -s 'Send all of stdin as one message'
            cand --stdin-file 'Send all of stdin as one message'
            cand -l 'Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again'
            cand --stdin-line 'Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again'
            cand -n 'Send an empty message, which with --retain deletes the one the broker keeps'
            cand --null-message 'Send an empty message, which with --retain deletes the one the broker keeps'
            cand -c 'Keep the session on the broker when this client leaves; needs --id'
            cand --disable-clean-session 'Keep the session on the broker when this client leaves; needs --id'
            cand --will-retain 'Make the will a retained message'
        }
        &'mqtt;sub'= {
            cand -t 'Topic filter to subscribe to, as often as wanted; also the path of --url'
            cand --topic 'Topic filter to subscribe to, as often as wanted; also the path of --url'
            cand -q 'Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once'
            cand --qos 'Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once'
            cand -C 'End after N messages were printed'
            cand --count 'End after N messages were printed'
            cand -W 'End with status 27 after this time, counted from the start of the program'
            cand --timeout 'End with status 27 after this time, counted from the start of the program'
            cand -T 'Do not print messages whose topic matches this filter, as often as wanted'
            cand --filter-out 'Do not print messages whose topic matches this filter, as often as wanted'
            cand -F 'Print each message in this form, with the specifiers of mosquitto_sub'
            cand --format 'Print each message in this form, with the specifiers of mosquitto_sub'
            cand -h 'Host name or address of the broker [default: localhost]'
            cand --host 'Host name or address of the broker [default: localhost]'
            cand -p 'Port of the broker [default: 1883]'
            cand --port 'Port of the broker [default: 1883]'
            cand -L 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]'
            cand --url 'Broker as one URL, mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC] [env: MQTT_URL]'
            cand -u 'User name [env: MQTT_USERNAME]'
            cand --username 'User name [env: MQTT_USERNAME]'
            cand -P 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --pw 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --password 'Password; --password-file and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]'
            cand --password-file 'Read the password from the first line of FILE'
            cand -V 'Protocol version'
            cand --protocol-version 'Protocol version'
            cand -k 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none'
            cand --keepalive 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none'
            cand --connect-timeout 'Longest time from the first look-up to the broker''s CONNACK'
            cand -i 'Client id [default: a random one]'
            cand --id 'Client id [default: a random one]'
            cand -I 'Client id made of PREFIX and the process id'
            cand --id-prefix 'Client id made of PREFIX and the process id'
            cand --will-topic 'Topic of the message the broker publishes when this client is cut off'
            cand --will-payload 'Payload of the will [default: empty]'
            cand --will-qos 'Quality of service of the will'
            cand -R 'Do not print retained messages'
            cand --no-retained 'Do not print retained messages'
            cand --retained-only 'Print the retained messages only, and end when no more come: at the first other message or after a quiet second'
            cand -v 'Print the topic before the payload, and (null) for an empty payload'
            cand --verbose 'Print the topic before the payload, and (null) for an empty payload'
            cand --json 'Print one line of JSON for each message'
            cand -N 'Do not end each message with a line feed'
            cand --no-line-feed 'Do not end each message with a line feed'
            cand -c 'Keep the session on the broker when this client leaves; needs --id'
            cand --disable-clean-session 'Keep the session on the broker when this client leaves; needs --id'
            cand --will-retain 'Make the will a retained message'
            cand --help 'Print help'
        }
        &'mqtt;bench'= {
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
