
# Offers what a value can be: a file, a folder, one of some words, or names that the configuration holds.
_sallyport_offer() {
  case $1 in
    file) _files ;;
    folder) _files -/ ;;
    @*) compadd -- ${(f)"$("${words[1]}" completable-names "${1#@}" "${place[@]}" 2>/dev/null)"} ;;
    \=*) compadd -- ${(s:,:)1#=} ;;
  esac
}

_sallyport() {
  local takes='' at='' word due='' option='' has_ended=''
  local -i position=0 i
  local -a commands options arguments place
  _sallyport_at ''
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    if [[ -n $due && ($due != \?* || $word != -*) ]]; then
      case $option in
        -c | --config | --data) place+=("$option" "$word") ;;
      esac
      due=''
    elif [[ -z $has_ended && $word == -- ]]; then
      has_ended=yes
    elif [[ -z $has_ended && $word == -* ]]; then
      option=$word due=''
      if [[ $takes == *" $word:"* ]]; then
        due=${takes#*" $word:"}
        due=${due%% *}
      fi
    elif ((position == 0 && ${commands[(I)${(b)word}:*]})); then
      at=${at:+$at }$word due=''
      _sallyport_at "$at"
    else
      due='' position+=1
    fi
  done
  if [[ -n $due && ($due != \?* || $PREFIX != -*) ]]; then
    _sallyport_offer "${due#\?}"
  elif [[ -z $has_ended && $PREFIX == --*=* ]]; then
    option=${PREFIX%%=*}
    [[ $takes == *" $option:"* ]] || return 1
    due=${takes#*" $option:"}
    compset -P '*='
    _sallyport_offer "${${due%% *}#\?}"
  elif [[ -z $has_ended && $PREFIX == -* ]]; then
    _describe -o option options
  else
    ((position == 0 && ${#commands})) && _describe command commands
    if ((${#arguments})); then
      ((position >= ${#arguments})) && [[ ${arguments[-1]} == *... ]] && position=$((${#arguments} - 1))
      ((position < ${#arguments})) && _sallyport_offer "${arguments[position + 1]%...}"
    fi
  fi
}
if [[ ${funcstack[1]} == _sallyport ]]; then _sallyport "$@"; else compdef _sallyport sallyport; fi
