# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mqtt_global_optspecs
    string join \n h/help V/version
end

function __fish_mqtt_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mqtt_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mqtt_using_subcommand
    set -l cmd (__fish_mqtt_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mqtt -n "__fish_mqtt_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mqtt -n "__fish_mqtt_needs_command" -s V -l version -d 'Print version'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "serve" -d 'A broker for MQTT 3.1, 3.1.1 and 5 that starts with one word'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "pub" -d 'Publishes one message, the same one repeatedly, several files, each line of stdin, or messages written as JSON'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "sub" -d 'Subscribes to topics and prints what arrives, until it is stopped'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "req" -d 'Publishes a request and prints the reply'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "reply" -d 'Answers requests: a device to test against, in one line'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "bench" -d 'A run, or what the verb says'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "context" -d 'What to do with the contexts'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "install-links" -d 'Makes mosquitto_pub, mosquitto_sub and mosquitto_rr in a folder, as links to this program'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -s h -l host -d 'Name or address to listen on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -s p -l port -d 'Port to listen on, 0 for any free one' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l max-packet-size -d 'Largest packet taken from a client, in bytes' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l max-keep-alive -d 'Longest keep alive, in seconds; MQTT 5 clients that ask for a longer one, or for none, are given this one, others are refused' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l receive-maximum -d 'Unacknowledged publishes above QoS 0 that an MQTT 5 client may have under way; who sends more is disconnected' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l workers -d 'Threads that sessions are spread over [default: one per processor]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l max-queued -d 'Messages kept for a session whose client is away or does not keep up; beyond it new ones are dropped' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l max-queued-bytes -d 'Bytes kept for such a session' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l sys-interval -d 'Time between two updates of the $SYS topics, 0 for none' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l metrics -d 'Answer Prometheus at http://ADDRESS/metrics, for example 127.0.0.1:9883' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l trace -d 'Print every packet on stdout, as a line of text or of JSON' -r -f -a "text\t'A line of text a packet'
json\t'A line of JSON a packet'"
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l trace-client -d 'Trace only the packets of this client; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l trace-topic -d 'Trace only packets with a topic that this filter matches; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l trace-payload -d 'Show this much of a payload in the trace' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l log-format -d 'Say what is logged as lines of text or of JSON' -r -f -a "text\t'A line of text an event'
json\t'A line of JSON an event'"
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l ready-file -d 'Write the URL to FILE once connections are accepted' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l config -d 'Take what is not typed from FILE, in TOML: the long names of the options and their values' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l queue-qos0 -d 'Keep QoS 0 messages too for clients that are away'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l json -d 'Print the ready line as JSON'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -s v -l verbose -d 'Say who connects, disconnects and subscribes; twice: every message too'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l print-config -d 'Print every option with its value and where that comes from, as such a file, and do nothing else'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s t -l topic -d 'Topic to publish to, also the path of --url; with several each message goes to every one' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s q -l qos -d 'Quality of service: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s W -l timeout -d 'Give up with status 27 after this time, counted from the start of the program' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s m -l message -d 'Send TEXT' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s f -l file -d 'Send the contents of FILE as one message; several files, each as one' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l topic-from -d 'With -l: each line is a topic, SEPARATOR and a payload; escapes as for --delimiter' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l delimiter -d 'With -l or --json: what ends a message instead of a line feed; \\n \\t \\r \\0 \\\\ and \\xHH are escapes' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l format -d 'How payloads are written, to be decoded before they are sent' -r -f -a "raw\t'As they are'
hex\t'Hexadecimal digits'
base64\t'Base64'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l seed -d 'Start the chance of {{uuid}} and {{rand}} with N, so that it can be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l repeat -d 'Send the message, or all files, N times' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l repeat-delay -d 'Pause between the completion of one message and the next' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l rate -d 'Send at most RATE messages a second, evenly: 0.5, 200, 20k' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l spool -d 'Write every message to DIR before it is sent and keep it there until its handshake is complete; what an earlier run has left there is delivered first; needs QoS 1 or 2' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l spool-sync -d 'When what was written has to be on the disk itself and not only with the operating system' -r -f -a "always\t'Before a message or an acknowledgement goes out: nothing is lost when the power fails'
never\t'When the operating system sees fit: nothing is lost when the program is killed'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l spool-limit -d 'Take in no more messages while the spool is larger than this: bytes, or 500k, 64M, 2G' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l response-topic -d 'Topic a reply should go to, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l correlation-data -d 'What a reply should repeat, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s M -l max-inflight -d 'Most messages of QoS 1 and 2 under way at a time [default: 1000; at QoS 2 before MQTT 5, 20]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s D -l property -d 'Property of MQTT 5 for a packet, as often as wanted, as in -D publish content-type text/plain' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l property-on-wire -d 'The same, in the one word that `TypedProperty` is displayed as' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s r -l retain -d 'Let the broker keep the message for later subscribers'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s v -l verbose -d 'Report each delivery on stderr when it is complete, and at the end how many there were'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l report-acks -d 'Print what becomes of each message as a line of JSON: accepted, sent, acknowledged or refused'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l require-subscribers -d 'Make it an error when the broker says that nobody subscribes; needs QoS 1 or 2 and makes the connection one of MQTT 5'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s s -l stdin-file -d 'Send all of stdin as one message'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s l -l stdin-line -d 'Send each line of stdin as a message; a lost connection is made again, and what was not acknowledged sent again'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s n -l null-message -d 'Send an empty message, which with --retain deletes the one the broker keeps'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l json -d 'Send each line of stdin as the message it describes in JSON: topic, payload or payload_base64, qos, retain and MQTT 5 properties, as mqtt sub --json prints them'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l template -d 'Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in payloads and topics'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l drain -d 'Deliver what is in the spool, and nothing else'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s d -l debug -d 'Say on stderr which packets are sent and received'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l quiet -d 'Say nothing on stderr once the command line is understood; the exit status tells'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s t -l topic -d 'Topic filter to subscribe to, as often as wanted; also the path of --url' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s q -l qos -d 'Highest quality of service to receive with: 0 at most once, 1 at least once, 2 exactly once; given once it is for all filters, else each for the --topic before it [default: 0]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s C -l count -d 'End after N messages were printed' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s W -l timeout -d 'End with status 27 after this time, counted from the start of the program' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s T -l filter-out -d 'Do not print messages whose topic matches this filter, as often as wanted' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l where -d 'Print only messages that meet this condition, as often as wanted: all must be met' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l throttle -d 'Print at most one message of a topic in this time: the first at once, then the last that came, when the time is over' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s U -l unsubscribe -d 'End a subscription of a kept session, as often as wanted; without --topic the command ends when it is done' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l idle -d 'End when no message has come for this time, counted from the broker\'s answer to the subscription' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l random-filter -d 'Print this share of the messages only, chosen at random: 0.1 to 100 percent' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l retain-handling -d 'Receive the retained messages: always, only for a new subscription, or never [MQTT 5]' -r -f -a "always\t'At every subscription'
new\t'When the subscription did not exist yet'
never\t'Never'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l subscription-identifier -d 'Number that comes back with each message of these subscriptions, 1 to 268435455 [MQTT 5]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s F -l format -d 'Print each message in this form, with the specifiers of mosquitto_sub' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l encode -d 'Print payloads in hexadecimal or base64; with --verbose behind the topic' -r -f -a "hex\t'Hexadecimal, two lower-case digits a byte'
base64\t'Base64'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l pretty -d 'Print each message for people, with its time, colours, indented JSON and a hex dump of what is no text; with --format indent what %j and %J print' -r -f -a "auto\t'At a terminal'
always\t'Everywhere'
never\t'Nowhere'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l output -d 'Write to FILE instead of stdout, behind what is there; %Y-%m-%d and the like, as in strftime, are the local time' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l rotate-size -d 'Begin a new file before one has more bytes than this: 500k, 10M, 1G; the old one becomes FILE.1, then FILE.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l rotate-every -d 'Begin a new file when one is this old; the old one becomes FILE.1, then FILE.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l keep -d 'Keep the N newest of the files that are done, and remove the others' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l exec -d 'Run a command for each message instead of printing it, never through a shell: all words up to the end or to a ;' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l exec-workers -d 'Run up to N commands at a time; with one, each ends before the next begins' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s M -l max-inflight -d 'Most messages of QoS 1 and 2 under way at a time [default: 1000; at QoS 2 before MQTT 5, 20]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s D -l property -d 'Property of MQTT 5 for a packet, as often as wanted, as in -D publish content-type text/plain' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l property-on-wire -d 'The same, in the one word that `TypedProperty` is displayed as' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s R -l no-retained -d 'Do not print retained messages'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l retained-only -d 'Print the retained messages only, and end when no more come: at the first other message or after a quiet second'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l changed -d 'Print a message only when its payload is another one than that of the last printed message of its topic'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s E -l exit-after-subscribe -d 'End when the broker has answered the subscription; makes a session with --disable-clean-session and --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l remove-retained -d 'Delete each retained message that comes and is not filtered out, by publishing an empty one in its place'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l no-local -d 'Do not receive what this client itself publishes, with --remove-retained or as its will [MQTT 5]'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l retain-as-published -d 'Keep the retain flag of each message as its publisher set it; without, it marks what was kept before [MQTT 5]'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s v -l verbose -d 'Print the topic before the payload, and (null) for an empty payload'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l json -d 'Print one line of JSON for each message'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ack-after-exec -d 'Acknowledge a message of QoS 1 or 2 only when its command has ended with status 0'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s N -l no-line-feed -d 'Do not end each message with a line feed'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s d -l debug -d 'Say on stderr which packets are sent and received'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l quiet -d 'Say nothing on stderr once the command line is understood; the exit status tells'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s t -l topic -d 'Topic to publish the request to; also the path of --url' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s e -l response-topic -d 'Topic the reply comes to [default with MQTT 5: one of its own, beginning as the broker wants it]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s q -l qos -d 'Quality of service of the request and of the reply: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l replies -d 'Wait for this many replies' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s W -l timeout -d 'End with status 27 after this time, counted from the start of the program' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s m -l message -d 'Send TEXT' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s f -l file -d 'Send the contents of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s F -l format -d 'Print each reply in this form, with the specifiers of `mqtt sub --format`' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s M -l max-inflight -d 'Most messages of QoS 1 and 2 under way at a time [default: 1000; at QoS 2 before MQTT 5, 20]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s D -l property -d 'Property of MQTT 5 for a packet, as often as wanted, as in -D publish content-type text/plain' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l property-on-wire -d 'The same, in the one word that `TypedProperty` is displayed as' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l latency -d 'Say on stderr how long each reply took, from the request\'s way to the network'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s R -l no-retained -d 'Does nothing, as in mosquitto_rr: what the broker has kept is never taken for a reply here'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s s -l stdin-file -d 'Send all of stdin'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s n -l null-message -d 'Send an empty message'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s v -l verbose -d 'Print the topic before the payload, and (null) for an empty payload'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l json -d 'Print one line of JSON for each reply, as `mqtt sub --json` does'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l pretty -d 'Indent what %j and %J of --format print'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s N -l no-line-feed -d 'Do not end each reply with a line feed'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s d -l debug -d 'Say on stderr which packets are sent and received'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l quiet -d 'Say nothing on stderr once the command line is understood; the exit status tells'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand req" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s t -l topic -d 'Topic filter of the requests, as often as wanted; also the path of --url' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s e -l response-topic -d 'Topic of replies to requests that name none, in the specifiers of --format: %t is the topic of the request' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s q -l qos -d 'Quality of service of requests and replies: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l delay -d 'Wait so long before each reply; with A..B a time between the two, at random' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l fail -d 'Leave this share of the requests without a reply, at random: 0 to 100 percent' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s C -l count -d 'End after N requests' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s W -l timeout -d 'End with status 27 after this time, counted from the start of the program' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s m -l message -d 'Reply with TEXT' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s f -l file -d 'Reply with the contents of FILE, as they are when the command starts' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s F -l format -d 'Reply in this form, with the specifiers of `mqtt sub --format` filled from the request' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l exec -d 'Reply with what a command prints, never through a shell: all words up to the end or to a ;' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l exec-workers -d 'Run up to N commands at a time; with one, the requests are answered one after the other' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s v -l verbose -d 'Say on stderr what becomes of each request'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l echo -d 'Reply with the payload of the request'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s n -l null-message -d 'Reply with an empty message'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand reply" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l publishers -d 'Connections that publish, in req that ask [default: 10, in retained-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l subscribers -d 'Connections that subscribe, in req that answer [default: 10, in req and will-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s c -l clients -d 'Connections of conn, idle, churn and the storms of clients [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l rate -d 'Messages per second, all publishers together, as 500, 20k or 1.5M, or each for itself, as 5/client; in the form poisson:500, ramp:100..5k:30s, stairs:1k..5k:5x10s or burst:100:1s when they are not to be even; or max: as fast as flow control allows, which is TCP\'s at QoS 0 and --window at QoS 1 and 2. In conn and idle new connections per second; max keeps at most 32 per thread on their way. In churn and the storms of clients how many a second it happens to [default: max, in churn 50]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l duration -d 'How long to measure; in conn and idle how long the connections are held once all are made; in the storms of clients how long they may take to be back [default: 5s, in conn 0s, in the storms 30s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l count -d 'Measure this many messages, all publishers together, instead of a time; in sub as many that arrive' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l warmup -d 'Load before the measurement that does not count: a time, or auto for until it is steady, which is when neither the rate (by a tenth) nor the 99th percentile of the latency (by half, and a millisecond) shifts from one half to the other of the last ten intervals, of 200 ms or more at low rates. auto:30s ends after 30 s at the latest, auto after a minute, and the report says when the load was not steady then [default: 1s, with --count 0s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s q -l qos -d 'Quality of service of publishes and subscriptions [default: 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l window -d 'Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker\'s receive maximum says so [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s t -l topic -d 'Topic; %i is the client\'s number from 1, %n how many there are, %s the message\'s number at its publisher, %r{a..b} a random number, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in. In sub it is the topic filter, and must be given [default: bench/RUN/%i]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l filter -d 'What the subscribers subscribe to, when it is not the topic; %i is then each client\'s own number. It must ask for all messages of a topic that varies, or for none' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l run -d 'Eight hexadecimal digits that mark the messages and the clients of this run; what is random in it follows from them [default: new ones]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l reads -d 'How fast the slow subscriber of slow reads in the second half of the run: so many messages, 10/s, or bytes, 20kB/s, or none; after the load it reads whatever comes [default: 10/s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l workers -d 'Threads that share the connections [default: one for each processor]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l plan -d 'Run the plan in FILE, as --print-plan writes it; - is stdin. It says what the load is; the other options say which broker it is put on' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l preset -d 'A case of the Open MQTT Benchmark Suite: QoS 1, payloads of 16 bytes, keep alive 300 s unless -k says otherwise, 30 minutes unless --duration says less. --print-plan prints it, to be changed and run with --plan' -r -f -a "conn-tcp-10K-100\t'10,000 connections, 100 a second, then held'
fanout-1-1K-1-1K\t'1 publisher, 1 message/s, to 1,000 subscribers'
p2p-1K-1K-1K-1K\t'1,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-1K-5-1K-1K\t'1,000 publishers, 1 message/s each, to 5 members of a shared subscription'
conn-tcp-1M-5K\t'1,000,000 connections, 5,000 a second, then held'
fanout-5-1000-5-250K\t'5 publishers, 50 messages/s each, all to 1,000 subscribers'
p2p-50K-50K-50K-50K\t'50,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-50K-500-50K-50K\t'50,000 publishers, 1 message/s each, to 500 members of a shared subscription'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l scale -d 'So much of the preset, as 0.01, 1% or 1/100, for a machine that cannot do all: that many fewer clients, each of which does the same; of a fan-out fewer subscribers, of connections also fewer a second' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l size -d 'Bytes of payload: 64, 4k or 1M; drawn for each message as uniform:64..4k, normal:1k:200 (mean and standard deviation) or exp:512 (mean); or a mix, 64:80%,4k:20%. At least 16 where it begins with the measurement header [default: 64]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s m -l payload -d 'Send TEXT instead of so many bytes; several, one after the other' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l payload-file -d 'Send the contents of FILE; several, one after the other' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l payload-lines -d 'Send the lines of FILE, one after the other and then from the start' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l payload-order -d 'Which of several payloads a message carries; at random follows from --run' -r -f -a "turn\t'One after the other'
random\t'Any of them'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l header -d 'Where a message carries what it is known again by [default: payload, with --payload and the like property]' -r -f -a "payload\t'At the beginning of the payload: 32 bytes, in one that is smaller 20 or 16; before a text that is given'
compact\t'The same with 20 bytes, or 16 where the payload has no more'
property\t'In a user property of MQTT 5; the payload stays as it is'
none\t'Nowhere: rates only, neither latency nor what was lost'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l response-topic -d 'Topic a reply should go to, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l correlation-data -d 'What a reply should repeat, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s i -l id -d 'Client id of each client, with the placeholders of --topic; -p, -s or -c is put behind it where there are several groups. User name and password may have placeholders too [default: bench-RUN-p1 and so on]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l broker -d 'One of several brokers, a URL, which the clients take in turn; with --host or --url it is not needed' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l source -d 'Addresses of this machine which the clients connect from in turn, for more connections than one has ports; for a broker on this machine 127.0.0.1, 127.0.0.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l fault -d 'What is to happen to the connections while the load runs, by a proxy between them and the broker; may be repeated. at=TIME says when, from the start of the load; for=TIME how long, every=TIME how long until it happens again; and what: cut=SHARE, connections are closed, and new ones as well for the time; stall, stall=up (to the broker) or stall=down, nothing goes through and nothing is lost; half-open=SHARE, all is lost and nobody is told; delay=TIME jitter=TIME, all is late; rate=BYTES, no more goes through in a second. share=SHARE says to how many connections, 30% or 5, and of= to whose: publishers, subscribers or clients. Example: \'at=10s cut=30% for=2s\'' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s h -l host -d 'Host name or address of the broker; of several the clients take one after the other [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s p -l port -d 'Port of the broker; several for one host, or as many as there are hosts [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s L -l url -d 'Broker as one URL, or several: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s D -l property -d 'Property of MQTT 5 for connect, publish or will, as often as wanted, as in -D publish content-type text/plain; the options of the same names say the same' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l slo -d 'What the run must hold, as p99<10ms,loss=0,rate>=99%: otherwise the status is 8. There are p50, p90, p99, p99.9, p99.99, max and mean of the response latency (service without --rate, acknowledgement without subscribers, connecting in conn and idle), or of another one after response., service., ack., send., tcp. or connack.; the counts loss (also in %), duplicates, reordered, refused and disconnects; and rate, per second or in % of what is offered. Compared by <, <=, =, >= or >; a figure of too few samples holds nothing, and an INVALID run shows nothing' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l hlog -d 'Write the latencies of every second to FILE, in the log format of HdrHistogram and in microseconds, each kind of latency with a tag of its own: response, service, ack, send, generator and connect.*' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l csv -d 'Write the rates and latencies of every second to FILE as a table with commas' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l html -d 'Write the report to FILE as a page for a browser: percentiles, latency and rates over time, and all that belongs to them; it loads nothing' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l json -d 'Print the report as JSON, or write it to FILE beside what is printed: the whole run with its plan, its histograms and its seconds, as `report` and `compare` read it' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l prometheus -d 'Show the run to Prometheus while it goes on, at http://ADDRESS/metrics' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l agents -d 'Let the load come from so many machines on which `mqtt bench agent` runs, or from the agents of these names, A,B,C. All run the same plan from one moment on; the report is that of all of them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l control -d 'The broker over which this program and the agents talk, a URL, mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]. TLS options are its [default: the broker under test]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l control-topic -d 'The topic below which they talk, as the agents have it' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l agents-group -d 'Ask agents of this group only' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l agents-timeout -d 'How long to wait for the agents' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l spread -d 'Where the clients are' -r -f -a "together\t'Publishers and subscribers of the same number on the same machine: one clock times a pair\'s messages'
apart\t'On different machines: every message of a pair goes from one to another'
roles\t'The first half of the machines publishes, the second subscribes'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l serve -d 'Measure the broker of this program, started in the same process on a free port'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l template -d 'Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in the payloads, as mqtt pub does'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s r -l retain -d 'Let the broker keep each topic\'s last message; at the end of the run they are taken away again'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l topic-alias -d 'Name each topic by a number from its second message on, as far as the broker allows (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l persistent -d 'The clients keep their sessions when they lose their connection, so that what was on its way is sent again: no clean session, and in MQTT 5 an expiry of an hour. At the end they are taken away'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l disable-clean-session -d 'Let the broker take up the session it has of each client, and keep it (before MQTT 5: no clean session)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l print-plan -d 'Print the plan of this command line as TOML instead of running it'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l calibrate -d 'Measure the same load against a broker that does nothing first, for two seconds, and print its latency beside the result: so much of it is the load tester\'s own'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -s v -l verbose -d 'One line on stderr every second while the load runs, instead of a bar on a terminal and a line every ten seconds elsewhere'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -a "report" -d 'Show saved runs again, several as one'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -a "compare" -d 'Tell two brokers apart, or two sets of saved runs'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -a "max" -d 'Find the highest load that holds what it must hold'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -a "calibrate" -d 'Measure the load tester itself, against a broker that does nothing'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and not __fish_seen_subcommand_from report compare max calibrate agent" -a "agent" -d 'Lend this machine to runs that another one starts with --agents'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from report" -l slo -d 'Hold them to these objectives instead of the ones they were run with' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from report" -l html -d 'Write the report to FILE as a page for a browser: percentiles, latency and rates over time, and all that belongs to them; it loads nothing' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from report" -l json -d 'Print the report as JSON, or write it to FILE beside what is printed' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from report" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l publishers -d 'Connections that publish, in req that ask [default: 10, in retained-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l subscribers -d 'Connections that subscribe, in req that answer [default: 10, in req and will-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s c -l clients -d 'Connections of conn, idle, churn and the storms of clients [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l rate -d 'Messages per second, all publishers together, as 500, 20k or 1.5M, or each for itself, as 5/client; in the form poisson:500, ramp:100..5k:30s, stairs:1k..5k:5x10s or burst:100:1s when they are not to be even; or max: as fast as flow control allows, which is TCP\'s at QoS 0 and --window at QoS 1 and 2. In conn and idle new connections per second; max keeps at most 32 per thread on their way. In churn and the storms of clients how many a second it happens to [default: max, in churn 50]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l duration -d 'How long to measure; in conn and idle how long the connections are held once all are made; in the storms of clients how long they may take to be back [default: 5s, in conn 0s, in the storms 30s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l count -d 'Measure this many messages, all publishers together, instead of a time; in sub as many that arrive' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l warmup -d 'Load before the measurement that does not count: a time, or auto for until it is steady, which is when neither the rate (by a tenth) nor the 99th percentile of the latency (by half, and a millisecond) shifts from one half to the other of the last ten intervals, of 200 ms or more at low rates. auto:30s ends after 30 s at the latest, auto after a minute, and the report says when the load was not steady then [default: 1s, with --count 0s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s q -l qos -d 'Quality of service of publishes and subscriptions [default: 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l window -d 'Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker\'s receive maximum says so [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s t -l topic -d 'Topic; %i is the client\'s number from 1, %n how many there are, %s the message\'s number at its publisher, %r{a..b} a random number, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in. In sub it is the topic filter, and must be given [default: bench/RUN/%i]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l filter -d 'What the subscribers subscribe to, when it is not the topic; %i is then each client\'s own number. It must ask for all messages of a topic that varies, or for none' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l run -d 'Eight hexadecimal digits that mark the messages and the clients of this run; what is random in it follows from them [default: new ones]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l reads -d 'How fast the slow subscriber of slow reads in the second half of the run: so many messages, 10/s, or bytes, 20kB/s, or none; after the load it reads whatever comes [default: 10/s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l workers -d 'Threads that share the connections [default: one for each processor]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l plan -d 'Run the plan in FILE, as --print-plan writes it; - is stdin. It says what the load is; the other options say which broker it is put on' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l preset -d 'A case of the Open MQTT Benchmark Suite: QoS 1, payloads of 16 bytes, keep alive 300 s unless -k says otherwise, 30 minutes unless --duration says less. --print-plan prints it, to be changed and run with --plan' -r -f -a "conn-tcp-10K-100\t'10,000 connections, 100 a second, then held'
fanout-1-1K-1-1K\t'1 publisher, 1 message/s, to 1,000 subscribers'
p2p-1K-1K-1K-1K\t'1,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-1K-5-1K-1K\t'1,000 publishers, 1 message/s each, to 5 members of a shared subscription'
conn-tcp-1M-5K\t'1,000,000 connections, 5,000 a second, then held'
fanout-5-1000-5-250K\t'5 publishers, 50 messages/s each, all to 1,000 subscribers'
p2p-50K-50K-50K-50K\t'50,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-50K-500-50K-50K\t'50,000 publishers, 1 message/s each, to 500 members of a shared subscription'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l scale -d 'So much of the preset, as 0.01, 1% or 1/100, for a machine that cannot do all: that many fewer clients, each of which does the same; of a fan-out fewer subscribers, of connections also fewer a second' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l size -d 'Bytes of payload: 64, 4k or 1M; drawn for each message as uniform:64..4k, normal:1k:200 (mean and standard deviation) or exp:512 (mean); or a mix, 64:80%,4k:20%. At least 16 where it begins with the measurement header [default: 64]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s m -l payload -d 'Send TEXT instead of so many bytes; several, one after the other' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l payload-file -d 'Send the contents of FILE; several, one after the other' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l payload-lines -d 'Send the lines of FILE, one after the other and then from the start' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l payload-order -d 'Which of several payloads a message carries; at random follows from --run' -r -f -a "turn\t'One after the other'
random\t'Any of them'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l header -d 'Where a message carries what it is known again by [default: payload, with --payload and the like property]' -r -f -a "payload\t'At the beginning of the payload: 32 bytes, in one that is smaller 20 or 16; before a text that is given'
compact\t'The same with 20 bytes, or 16 where the payload has no more'
property\t'In a user property of MQTT 5; the payload stays as it is'
none\t'Nowhere: rates only, neither latency nor what was lost'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l response-topic -d 'Topic a reply should go to, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l correlation-data -d 'What a reply should repeat, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s i -l id -d 'Client id of each client, with the placeholders of --topic; -p, -s or -c is put behind it where there are several groups. User name and password may have placeholders too [default: bench-RUN-p1 and so on]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l broker -d 'One of several brokers, a URL, which the clients take in turn; with --host or --url it is not needed' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l source -d 'Addresses of this machine which the clients connect from in turn, for more connections than one has ports; for a broker on this machine 127.0.0.1, 127.0.0.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l fault -d 'What is to happen to the connections while the load runs, by a proxy between them and the broker; may be repeated. at=TIME says when, from the start of the load; for=TIME how long, every=TIME how long until it happens again; and what: cut=SHARE, connections are closed, and new ones as well for the time; stall, stall=up (to the broker) or stall=down, nothing goes through and nothing is lost; half-open=SHARE, all is lost and nobody is told; delay=TIME jitter=TIME, all is late; rate=BYTES, no more goes through in a second. share=SHARE says to how many connections, 30% or 5, and of= to whose: publishers, subscribers or clients. Example: \'at=10s cut=30% for=2s\'' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s h -l host -d 'Host name or address of the broker; of several the clients take one after the other [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s p -l port -d 'Port of the broker; several for one host, or as many as there are hosts [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s L -l url -d 'Broker as one URL, or several: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s D -l property -d 'Property of MQTT 5 for connect, publish or will, as often as wanted, as in -D publish content-type text/plain; the options of the same names say the same' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l agents -d 'Let the load come from so many machines on which `mqtt bench agent` runs, or from the agents of these names, A,B,C. All run the same plan from one moment on; the report is that of all of them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l control -d 'The broker over which this program and the agents talk, a URL, mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]. TLS options are its [default: the broker under test]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l control-topic -d 'The topic below which they talk, as the agents have it' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l agents-group -d 'Ask agents of this group only' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l agents-timeout -d 'How long to wait for the agents' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l spread -d 'Where the clients are' -r -f -a "together\t'Publishers and subscribers of the same number on the same machine: one clock times a pair\'s messages'
apart\t'On different machines: every message of a pair goes from one to another'
roles\t'The first half of the machines publishes, the second subscribes'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l runs -d 'Runs against each broker, in the order A B B A A B and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l on -d 'What is compared, by the names that --slo has' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tolerance -d 'How much worse B may be, in percent of A' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l json -d 'Print the comparison as JSON, or write it to FILE beside what is printed' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l serve -d 'Measure the broker of this program, started in the same process on a free port'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l template -d 'Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in the payloads, as mqtt pub does'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s r -l retain -d 'Let the broker keep each topic\'s last message; at the end of the run they are taken away again'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l topic-alias -d 'Name each topic by a number from its second message on, as far as the broker allows (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l persistent -d 'The clients keep their sessions when they lose their connection, so that what was on its way is sent again: no clean session, and in MQTT 5 an expiry of an hour. At the end they are taken away'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l disable-clean-session -d 'Let the broker take up the session it has of each client, and keep it (before MQTT 5: no clean session)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -s v -l verbose -d 'One line on stderr every second while a load runs, instead of a bar on a terminal and a line every ten seconds elsewhere'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from compare" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l publishers -d 'Connections that publish, in req that ask [default: 10, in retained-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l subscribers -d 'Connections that subscribe, in req that answer [default: 10, in req and will-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s c -l clients -d 'Connections of conn, idle, churn and the storms of clients [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l rate -d 'Messages per second, all publishers together, as 500, 20k or 1.5M, or each for itself, as 5/client; in the form poisson:500, ramp:100..5k:30s, stairs:1k..5k:5x10s or burst:100:1s when they are not to be even; or max: as fast as flow control allows, which is TCP\'s at QoS 0 and --window at QoS 1 and 2. In conn and idle new connections per second; max keeps at most 32 per thread on their way. In churn and the storms of clients how many a second it happens to [default: max, in churn 50]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l duration -d 'How long to measure; in conn and idle how long the connections are held once all are made; in the storms of clients how long they may take to be back [default: 5s, in conn 0s, in the storms 30s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l count -d 'Measure this many messages, all publishers together, instead of a time; in sub as many that arrive' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l warmup -d 'Load before the measurement that does not count: a time, or auto for until it is steady, which is when neither the rate (by a tenth) nor the 99th percentile of the latency (by half, and a millisecond) shifts from one half to the other of the last ten intervals, of 200 ms or more at low rates. auto:30s ends after 30 s at the latest, auto after a minute, and the report says when the load was not steady then [default: 1s, with --count 0s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s q -l qos -d 'Quality of service of publishes and subscriptions [default: 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l window -d 'Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker\'s receive maximum says so [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s t -l topic -d 'Topic; %i is the client\'s number from 1, %n how many there are, %s the message\'s number at its publisher, %r{a..b} a random number, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in. In sub it is the topic filter, and must be given [default: bench/RUN/%i]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l filter -d 'What the subscribers subscribe to, when it is not the topic; %i is then each client\'s own number. It must ask for all messages of a topic that varies, or for none' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l run -d 'Eight hexadecimal digits that mark the messages and the clients of this run; what is random in it follows from them [default: new ones]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l reads -d 'How fast the slow subscriber of slow reads in the second half of the run: so many messages, 10/s, or bytes, 20kB/s, or none; after the load it reads whatever comes [default: 10/s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l workers -d 'Threads that share the connections [default: one for each processor]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l plan -d 'Run the plan in FILE, as --print-plan writes it; - is stdin. It says what the load is; the other options say which broker it is put on' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l preset -d 'A case of the Open MQTT Benchmark Suite: QoS 1, payloads of 16 bytes, keep alive 300 s unless -k says otherwise, 30 minutes unless --duration says less. --print-plan prints it, to be changed and run with --plan' -r -f -a "conn-tcp-10K-100\t'10,000 connections, 100 a second, then held'
fanout-1-1K-1-1K\t'1 publisher, 1 message/s, to 1,000 subscribers'
p2p-1K-1K-1K-1K\t'1,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-1K-5-1K-1K\t'1,000 publishers, 1 message/s each, to 5 members of a shared subscription'
conn-tcp-1M-5K\t'1,000,000 connections, 5,000 a second, then held'
fanout-5-1000-5-250K\t'5 publishers, 50 messages/s each, all to 1,000 subscribers'
p2p-50K-50K-50K-50K\t'50,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-50K-500-50K-50K\t'50,000 publishers, 1 message/s each, to 500 members of a shared subscription'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l scale -d 'So much of the preset, as 0.01, 1% or 1/100, for a machine that cannot do all: that many fewer clients, each of which does the same; of a fan-out fewer subscribers, of connections also fewer a second' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l size -d 'Bytes of payload: 64, 4k or 1M; drawn for each message as uniform:64..4k, normal:1k:200 (mean and standard deviation) or exp:512 (mean); or a mix, 64:80%,4k:20%. At least 16 where it begins with the measurement header [default: 64]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s m -l payload -d 'Send TEXT instead of so many bytes; several, one after the other' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l payload-file -d 'Send the contents of FILE; several, one after the other' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l payload-lines -d 'Send the lines of FILE, one after the other and then from the start' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l payload-order -d 'Which of several payloads a message carries; at random follows from --run' -r -f -a "turn\t'One after the other'
random\t'Any of them'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l header -d 'Where a message carries what it is known again by [default: payload, with --payload and the like property]' -r -f -a "payload\t'At the beginning of the payload: 32 bytes, in one that is smaller 20 or 16; before a text that is given'
compact\t'The same with 20 bytes, or 16 where the payload has no more'
property\t'In a user property of MQTT 5; the payload stays as it is'
none\t'Nowhere: rates only, neither latency nor what was lost'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l response-topic -d 'Topic a reply should go to, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l correlation-data -d 'What a reply should repeat, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s i -l id -d 'Client id of each client, with the placeholders of --topic; -p, -s or -c is put behind it where there are several groups. User name and password may have placeholders too [default: bench-RUN-p1 and so on]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l broker -d 'One of several brokers, a URL, which the clients take in turn; with --host or --url it is not needed' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l source -d 'Addresses of this machine which the clients connect from in turn, for more connections than one has ports; for a broker on this machine 127.0.0.1, 127.0.0.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l fault -d 'What is to happen to the connections while the load runs, by a proxy between them and the broker; may be repeated. at=TIME says when, from the start of the load; for=TIME how long, every=TIME how long until it happens again; and what: cut=SHARE, connections are closed, and new ones as well for the time; stall, stall=up (to the broker) or stall=down, nothing goes through and nothing is lost; half-open=SHARE, all is lost and nobody is told; delay=TIME jitter=TIME, all is late; rate=BYTES, no more goes through in a second. share=SHARE says to how many connections, 30% or 5, and of= to whose: publishers, subscribers or clients. Example: \'at=10s cut=30% for=2s\'' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s h -l host -d 'Host name or address of the broker; of several the clients take one after the other [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s p -l port -d 'Port of the broker; several for one host, or as many as there are hosts [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s L -l url -d 'Broker as one URL, or several: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s D -l property -d 'Property of MQTT 5 for connect, publish or will, as often as wanted, as in -D publish content-type text/plain; the options of the same names say the same' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l agents -d 'Let the load come from so many machines on which `mqtt bench agent` runs, or from the agents of these names, A,B,C. All run the same plan from one moment on; the report is that of all of them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l control -d 'The broker over which this program and the agents talk, a URL, mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]. TLS options are its [default: the broker under test]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l control-topic -d 'The topic below which they talk, as the agents have it' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l agents-group -d 'Ask agents of this group only' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l agents-timeout -d 'How long to wait for the agents' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l spread -d 'Where the clients are' -r -f -a "together\t'Publishers and subscribers of the same number on the same machine: one clock times a pair\'s messages'
apart\t'On different machines: every message of a pair goes from one to another'
roles\t'The first half of the machines publishes, the second subscribes'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l slo -d 'What each load must hold, as in a run. Beside it no promise of MQTT may be broken and the run must be valid' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l of -d 'What is raised' -r -f -a "rate\t'Messages per second, or connections per second in conn'
clients\t'Connections, in conn and idle'
publishers\t'Connections that publish'
subscribers\t'Connections that subscribe'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l from -d 'Where to begin [default: 1000/s; 10 clients]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l to -d 'Where to end at the latest [default: 10 million/s; 1 million clients]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l precision -d 'How much too low the answer may be' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l confirm -d 'How often the answer must hold again' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l json -d 'Print what was found as JSON, or write it to FILE beside what is printed' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l serve -d 'Measure the broker of this program, started in the same process on a free port'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l template -d 'Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in the payloads, as mqtt pub does'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s r -l retain -d 'Let the broker keep each topic\'s last message; at the end of the run they are taken away again'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l topic-alias -d 'Name each topic by a number from its second message on, as far as the broker allows (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l persistent -d 'The clients keep their sessions when they lose their connection, so that what was on its way is sent again: no clean session, and in MQTT 5 an expiry of an hour. At the end they are taken away'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l disable-clean-session -d 'Let the broker take up the session it has of each client, and keep it (before MQTT 5: no clean session)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -s v -l verbose -d 'One line on stderr for each load, and every second while it runs, instead of a bar on a terminal and a line every ten seconds elsewhere'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from max" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l publishers -d 'Connections that publish, in req that ask [default: 10, in retained-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l subscribers -d 'Connections that subscribe, in req that answer [default: 10, in req and will-storm 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s c -l clients -d 'Connections of conn, idle, churn and the storms of clients [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l rate -d 'Messages per second, all publishers together, as 500, 20k or 1.5M, or each for itself, as 5/client; in the form poisson:500, ramp:100..5k:30s, stairs:1k..5k:5x10s or burst:100:1s when they are not to be even; or max: as fast as flow control allows, which is TCP\'s at QoS 0 and --window at QoS 1 and 2. In conn and idle new connections per second; max keeps at most 32 per thread on their way. In churn and the storms of clients how many a second it happens to [default: max, in churn 50]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l duration -d 'How long to measure; in conn and idle how long the connections are held once all are made; in the storms of clients how long they may take to be back [default: 5s, in conn 0s, in the storms 30s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l count -d 'Measure this many messages, all publishers together, instead of a time; in sub as many that arrive' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l warmup -d 'Load before the measurement that does not count: a time, or auto for until it is steady, which is when neither the rate (by a tenth) nor the 99th percentile of the latency (by half, and a millisecond) shifts from one half to the other of the last ten intervals, of 200 ms or more at low rates. auto:30s ends after 30 s at the latest, auto after a minute, and the report says when the load was not steady then [default: 1s, with --count 0s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s q -l qos -d 'Quality of service of publishes and subscriptions [default: 1]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l window -d 'Most publishes a publisher has in flight at QoS 1 and 2; fewer when the broker\'s receive maximum says so [default: 100]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s t -l topic -d 'Topic; %i is the client\'s number from 1, %n how many there are, %s the message\'s number at its publisher, %r{a..b} a random number, %% a percent sign. Where the publishers and subscribers are not equally many, the numbers of the larger group start over at the size of the smaller one, so that everyone has a partner: 10 and 10 are pairs, 1 and 10 a fan-out, 10 and 1 a fan-in. In sub it is the topic filter, and must be given [default: bench/RUN/%i]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l filter -d 'What the subscribers subscribe to, when it is not the topic; %i is then each client\'s own number. It must ask for all messages of a topic that varies, or for none' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l run -d 'Eight hexadecimal digits that mark the messages and the clients of this run; what is random in it follows from them [default: new ones]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l reads -d 'How fast the slow subscriber of slow reads in the second half of the run: so many messages, 10/s, or bytes, 20kB/s, or none; after the load it reads whatever comes [default: 10/s]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l workers -d 'Threads that share the connections [default: one for each processor]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l plan -d 'Run the plan in FILE, as --print-plan writes it; - is stdin. It says what the load is; the other options say which broker it is put on' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l preset -d 'A case of the Open MQTT Benchmark Suite: QoS 1, payloads of 16 bytes, keep alive 300 s unless -k says otherwise, 30 minutes unless --duration says less. --print-plan prints it, to be changed and run with --plan' -r -f -a "conn-tcp-10K-100\t'10,000 connections, 100 a second, then held'
fanout-1-1K-1-1K\t'1 publisher, 1 message/s, to 1,000 subscribers'
p2p-1K-1K-1K-1K\t'1,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-1K-5-1K-1K\t'1,000 publishers, 1 message/s each, to 5 members of a shared subscription'
conn-tcp-1M-5K\t'1,000,000 connections, 5,000 a second, then held'
fanout-5-1000-5-250K\t'5 publishers, 50 messages/s each, all to 1,000 subscribers'
p2p-50K-50K-50K-50K\t'50,000 publishers, 1 message/s each, each to one subscriber'
sharedsub-50K-500-50K-50K\t'50,000 publishers, 1 message/s each, to 500 members of a shared subscription'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l scale -d 'So much of the preset, as 0.01, 1% or 1/100, for a machine that cannot do all: that many fewer clients, each of which does the same; of a fan-out fewer subscribers, of connections also fewer a second' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l size -d 'Bytes of payload: 64, 4k or 1M; drawn for each message as uniform:64..4k, normal:1k:200 (mean and standard deviation) or exp:512 (mean); or a mix, 64:80%,4k:20%. At least 16 where it begins with the measurement header [default: 64]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s m -l payload -d 'Send TEXT instead of so many bytes; several, one after the other' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l payload-file -d 'Send the contents of FILE; several, one after the other' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l payload-lines -d 'Send the lines of FILE, one after the other and then from the start' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l payload-order -d 'Which of several payloads a message carries; at random follows from --run' -r -f -a "turn\t'One after the other'
random\t'Any of them'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l header -d 'Where a message carries what it is known again by [default: payload, with --payload and the like property]' -r -f -a "payload\t'At the beginning of the payload: 32 bytes, in one that is smaller 20 or 16; before a text that is given'
compact\t'The same with 20 bytes, or 16 where the payload has no more'
property\t'In a user property of MQTT 5; the payload stays as it is'
none\t'Nowhere: rates only, neither latency nor what was lost'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l content-type -d 'Content type, for example application/json' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l message-expiry-interval -d 'Seconds after which the broker does not deliver the message any more' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l user-property -d 'Name and value of a user property, as often as wanted; their order is kept' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l response-topic -d 'Topic a reply should go to, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l correlation-data -d 'What a reply should repeat, as an MQTT 5 property' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s i -l id -d 'Client id of each client, with the placeholders of --topic; -p, -s or -c is put behind it where there are several groups. User name and password may have placeholders too [default: bench-RUN-p1 and so on]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l broker -d 'One of several brokers, a URL, which the clients take in turn; with --host or --url it is not needed' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l source -d 'Addresses of this machine which the clients connect from in turn, for more connections than one has ports; for a broker on this machine 127.0.0.1, 127.0.0.2 and so on' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l fault -d 'What is to happen to the connections while the load runs, by a proxy between them and the broker; may be repeated. at=TIME says when, from the start of the load; for=TIME how long, every=TIME how long until it happens again; and what: cut=SHARE, connections are closed, and new ones as well for the time; stall, stall=up (to the broker) or stall=down, nothing goes through and nothing is lost; half-open=SHARE, all is lost and nobody is told; delay=TIME jitter=TIME, all is late; rate=BYTES, no more goes through in a second. share=SHARE says to how many connections, 30% or 5, and of= to whose: publishers, subscribers or clients. Example: \'at=10s cut=30% for=2s\'' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-topic -d 'Topic of the message the broker publishes when this client is cut off' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-payload -d 'Payload of the will [default: empty]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-payload-file -d 'Contents of FILE as the payload of the will' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-qos -d 'Quality of service of the will' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-delay-interval -d 'Seconds the broker waits before it publishes the will; if the client comes back, it does not (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-message-expiry-interval -d 'Seconds after which the will is not delivered any more (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-content-type -d 'Content type of the will (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-response-topic -d 'Topic a reply to the will should go to (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-correlation-data -d 'What a reply to the will should repeat (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-user-property -d 'User property of the will, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s h -l host -d 'Host name or address of the broker; of several the clients take one after the other [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s p -l port -d 'Port of the broker; several for one host, or as many as there are hosts [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s L -l url -d 'Broker as one URL, or several: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s D -l property -d 'Property of MQTT 5 for connect, publish or will, as often as wanted, as in -D publish content-type text/plain; the options of the same names say the same' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l json -d 'Print both reports as JSON, or write them to FILE beside what is printed' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l serve -d 'Measure the broker of this program, started in the same process on a free port'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l template -d 'Fill in {{count}}, {{now}}, {{uuid}}, {{rand 1 6}} and {{env NAME}} in the payloads, as mqtt pub does'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s r -l retain -d 'Let the broker keep each topic\'s last message; at the end of the run they are taken away again'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l topic-alias -d 'Name each topic by a number from its second message on, as far as the broker allows (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l payload-format-indicator -d 'Say that the payload is UTF-8 text; one that is not is refused before it is sent'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l persistent -d 'The clients keep their sessions when they lose their connection, so that what was on its way is sent again: no clean session, and in MQTT 5 an expiry of an hour. At the end they are taken away'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l disable-clean-session -d 'Let the broker take up the session it has of each client, and keep it (before MQTT 5: no clean session)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-retain -d 'Make the will a retained message'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l will-payload-format-indicator -d 'Say that the will\'s payload is UTF-8 text (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -s v -l verbose -d 'One line on stderr every second while a load runs, instead of a bar on a terminal and a line every ten seconds elsewhere'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from calibrate" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l name -d 'The name this agent is asked for by; no two may have the same [default: the machine\'s name and the process id]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l group -d 'The group it belongs to, for --agents-group' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l control-topic -d 'The topic below which agents and coordinators talk. Who may write there, may have this machine put a load on any broker: the control broker\'s access list should say who that is' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l only -d 'Put a load on these brokers only, by their host names or addresses; may be repeated [default: on any]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l source -d 'Addresses of this machine which its clients connect from in turn, for more connections than one has ports' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l once -d 'End after one run, with its status'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench; and __fish_seen_subcommand_from agent" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -f -a "add" -d 'Save connection options under a name'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -f -a "ls" -d 'List the contexts'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -f -a "show" -d 'Print the connection options in effect, each with where it comes from'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -f -a "select" -d 'Use a context wherever nothing else is said'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and not __fish_seen_subcommand_from add ls show select rm" -f -a "rm" -d 'Remove contexts'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l replace -d 'Replace the context of this name, if there is one'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from add" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from ls" -l json -d 'Print one JSON object a line'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from ls" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l context -d 'Take what is not typed from the context NAME, and from no other place; \'\' for none [env: MQTT_CONTEXT]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s h -l host -d 'Host name or address of the broker [default: localhost]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s p -l port -d 'Port of the broker [default: 1883, with TLS 8883, WebSocket 80, both 443]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s L -l url -d 'Broker as one URL: mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], ws[s]://HOST[:PORT][/PATH] or unix:///PATH [env: MQTT_URL]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l unix -d 'Connect to the unix socket PATH' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l ws-path -d 'Path to ask the WebSocket server for [default: /mqtt]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l ws-header -d 'Send this header to the WebSocket server; may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l proxy -d 'Connect through a proxy: socks5h://, socks5://, http:// or https://[USER:PASSWORD@]HOST[:PORT], or none [env: ALL_PROXY, HTTPS_PROXY]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l proxy-cafile -d 'Trust the issuers in FILE (PEM) to say who an https:// proxy is [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s A -l bind -d 'Connect from this address of this machine' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l nameserver -d 'Ask this name server for SRV records and the broker\'s addresses, not those of this system [env: MQTT_NAMESERVER]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s u -l username -d 'User name [env: MQTT_USERNAME]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s P -l password -l pw -d 'Password; the three options below and MQTT_PASSWORD keep it out of the process list [env: MQTT_PASSWORD]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l password-file -d 'Read the password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l password-command -d 'Run COMMAND and take the first line it prints as the password; quotes part its words, but no shell sees them' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s V -l protocol-version -d 'Protocol version' -r -f -a "31\t'MQTT 3.1'
311\t'MQTT 3.1.1'
5\t'MQTT 5'
auto\t'MQTT 5, or 3.1.1 with a broker that refuses 5 or hangs up; standard error says so'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s k -l keepalive -d 'Seconds between keep alive packets on an idle connection, 5 to 65535, or 0 for none [default: 60]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l connect-timeout -d 'Longest time from the first look-up to the broker\'s CONNACK' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l cafile -d 'Trust the issuers whose certificates are in FILE (PEM) [default: those this system trusts]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l capath -d 'Trust the issuers whose certificates are in the files of DIR' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l cert -d 'Certificate of this client (PEM), with those of its issuers if the broker needs them' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l key -d 'Private key of --cert (PEM), encrypted or not [default: the key in the file of --cert]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l keyform -d 'Form of the key; pem is the only one' -r -f -a "pem\t'In a PEM file'
engine\t'In an engine of OpenSSL'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l pkcs12 -d 'Certificate and key of this client in one PKCS#12 file (.p12, .pfx)' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l key-password -d 'Password of the key or the PKCS#12 file; --key-password-file keeps it out of the process list [default: asked for on the terminal]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l key-password-file -d 'Read that password from the first line of FILE' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-server-name -d 'Expect the broker\'s certificate to be for NAME, and say NAME to it (SNI) [default: the host]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-pin -d 'Accept only a broker with this public key, sha256//BASE64; with --insecure nothing else is checked. May be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-alpn -d 'Offer this protocol to the broker (ALPN); may be repeated' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-version -d 'Speak this version of TLS or a newer one' -r -f -a "tlsv1.2\t'TLS 1.2'
tlsv1.3\t'TLS 1.3'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l ciphers -d 'Use only these cipher suites, by their names in OpenSSL or at IANA, separated by colons' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-key-log -d 'Append the secrets of the connection to FILE, so that Wireshark can decrypt it [env: SSLKEYLOGFILE]' -r -F
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l psk -d 'Not possible: TLS with a key that both sides know' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l psk-identity -d 'Not possible: the name of --psk' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-engine -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-engine-kpass-sha1 -d 'Not possible: keys in an engine of OpenSSL' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s i -l id -d 'Client id [default: a random one]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s I -l id-prefix -d 'Client id made of PREFIX and the process id' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s x -l session-expiry-interval -d 'Seconds the broker keeps the session after the connection has ended, or never for no end (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l receive-maximum -d 'Take at most N messages of QoS 1 and 2 that are not acknowledged yet (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l maximum-packet-size -d 'Take no packet larger than this; the broker drops what would need one (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l topic-alias-maximum -d 'Let the broker use up to N numbers in place of topics (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l connect-user-property -d 'User property of the connection, as often as wanted (MQTT 5)' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l retry -d 'Try so often again when the broker is not reached or lost, or forever [default: the first time not at all; see below]' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l retry-max-delay -d 'Longest pause between two attempts; it begins with half a second and doubles' -r
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l takeover -d 'When another client takes the session, by connecting with the same id: end with status 7, or come back each time' -r -f -a "stop\t'Leave the session to the other client'
fight\t'Come back each time'"
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l ws -d 'Speak WebSocket to --host'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l nodelay -d 'Does nothing, as what is written always goes out at once; for those who know it from mosquitto'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s S -l srv -d 'Take --host for a domain whose SRV records, _mqtt._tcp or with TLS _secure-mqtt._tcp, name the hosts and ports'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l ask-password -d 'Ask for the password on the terminal'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l tls-use-os-certs -d 'Trust the issuers this system trusts, beside those of --cafile and --capath'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l insecure -d 'Do not check the broker\'s name; without --cafile and --capath, nor who issued its certificate'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l no-tls -d 'No TLS, not even on port 8883'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -s c -l disable-clean-session -d 'Keep the session on the broker when this client leaves; needs --id'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l follow-redirects -d 'Go to the broker that this one names when it refuses or leaves because another is to be used (MQTT 5)'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from show" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from select" -l none -d 'Select none'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from select" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand context; and __fish_seen_subcommand_from rm" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand install-links" -l force -d 'Replace files of these names that are something else'
complete -c mqtt -n "__fish_mqtt_using_subcommand install-links" -l help -d 'Print help'
