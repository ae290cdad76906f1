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
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "serve" -d 'Start a broker in this terminal'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "pub" -d 'Publish messages'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "sub" -d 'Subscribe to topics and print what arrives'
complete -c mqtt -n "__fish_mqtt_needs_command" -f -a "bench" -d 'Measure a broker\'s throughput and latency'
complete -c mqtt -n "__fish_mqtt_using_subcommand serve" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand pub" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand sub" -l help -d 'Print help'
complete -c mqtt -n "__fish_mqtt_using_subcommand bench" -l help -d 'Print help'
