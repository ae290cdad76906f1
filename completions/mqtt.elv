
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
            cand --help 'Print help'
        }
        &'mqtt;pub'= {
            cand --help 'Print help'
        }
        &'mqtt;sub'= {
            cand --help 'Print help'
        }
        &'mqtt;bench'= {
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
