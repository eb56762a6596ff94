
# The words that have led to a command and, on a second line, how many arguments it has got.
function __sallyport_walk
    set -l path
    set -l position 0
    set -l due ''
    set -l ended ''
    set -l words (commandline -opc)
    for word in $words[2..]
        set -l is_option ''
        test -z "$ended"; and string match -q -- '-*' "$word"; and set is_option yes
        if test "$due" = required; or begin; test "$due" = optional; and test -z "$is_option"; end
            set due ''
        else if test -n "$is_option"
            set due ''
            test "$word" = --; and set ended yes
            test "$word" != --; and set due (__sallyport_due "$path" $word)
        else if test $position = 0; and contains -- $word (__sallyport_commands "$path")
            set path $path $word
        else
            set position (math $position + 1)
        end
    end
    echo "$path"
    echo $position
end

# Whether the command is this one, with as many arguments as from the one to the other number.
function __sallyport_at
    set -l walked (__sallyport_walk)
    test (count $walked) = 2; and test "$walked[1]" = "$argv[1]"; and test $walked[2] -ge $argv[2]; and test $walked[2] -le $argv[3]
end

function __sallyport_names
    string match -q -- '-*' (commandline -ct); and return
    set -l words (commandline -opc)
    set -l place
    for i in (seq 2 (count $words))
        contains -- $words[$i] -c --config --data; and set place $place $words[$i..(math $i + 1)]
    end
    $words[1] completable-names $argv[1] $place 2>/dev/null
end

complete -c sallyport -f
