
# Offers what a value can be: a file, a folder, one of some words, or names that the configuration holds.
_sallyport_offer() {
  local IFS=$'\n'
  case $1 in
    file) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$current")) ;;
    folder) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$current")) ;;
    @*) COMPREPLY+=($(compgen -W "$("${COMP_WORDS[0]}" completable-names "${1#@}" "${place[@]}" 2>/dev/null)" -- "$current")) ;;
    =*) IFS=', '; COMPREPLY+=($(compgen -W "${1#=}" -- "$current")) ;;
  esac
}

_sallyport() {
  local commands options takes path='' word due='' option='' hasEnded='' position=0 i
  local -a arguments place=()
  local current=${COMP_WORDS[COMP_CWORD]}
  _sallyport_at ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    [[ $word == = && -n $due ]] && continue # bash parts --limit=5 into three words
    if [[ -n $due && ($due != \?* || $word != -*) ]]; then
      case $option in
        -c | --config | --data) place+=("$option" "$word") ;;
      esac
      due=''
    elif [[ -z $hasEnded && $word == -- ]]; then
      hasEnded=yes
    elif [[ -z $hasEnded && $word == -* ]]; then
      option=$word due=''
      if [[ $takes == *" $word:"* ]]; then
        due=${takes#*" $word:"}
        due=${due%% *}
      fi
    elif [[ $position == 0 && " $commands " == *" $word "* ]]; then
      path=${path:+$path }$word due=''
      _sallyport_at "$path"
    else
      due='' position=$((position + 1))
    fi
  done
  [[ $current == = ]] && current=''
  COMPREPLY=()
  if [[ -n $due && ($due != \?* || $current != -*) ]]; then
    _sallyport_offer "${due#\?}"
  elif [[ -z $hasEnded && $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    [[ $position == 0 ]] && COMPREPLY=($(compgen -W "$commands" -- "$current"))
    local last=$((${#arguments[@]} - 1))
    if ((last >= 0)); then
      [[ ${arguments[last]} == *... ]] && ((position > last)) && position=$last
      ((position <= last)) && _sallyport_offer "${arguments[position]%...}"
    fi
  fi
  return 0
}
complete -F _sallyport sallyport
