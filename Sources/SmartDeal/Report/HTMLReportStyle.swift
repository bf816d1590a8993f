/// How the page looks.
package enum HTMLReportStyle {
    /// Colours of the kinds of layers can be told apart without seeing red from green (Okabe and
    /// Ito), lightened in the dark.
    package static let sheet: HTML = """

        :root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --quiet: #5d666f; \
        --line: #dfe3e7; --raised: #f5f7f9; --accent: #2f6fb5; --note: #fff3cf; \
        --conv: #0072b2; --conv1x1: #d55e00; --depthwise: #009e73; --linear: #7b4fb0; \
        --embedding: #b8860b; --other: #6b7280; }
        @media (prefers-color-scheme: dark) { :root { --paper: #15181b; --ink: #e6e9ec; \
        --quiet: #9aa4ad; --line: #31373d; --raised: #1e2327; --accent: #6aa9ec; \
        --note: #473b12; --conv: #56b4e9; --conv1x1: #f08c4a; --depthwise: #2cc79a; \
        --linear: #b795ea; --embedding: #e6c229; --other: #a3abb5; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1160px; padding: 24px; background: var(--paper); \
        color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        h1 { font-size: 24px; line-height: 1.25; margin: 0 0 12px; overflow-wrap: anywhere; }
        h2 { font-size: 18px; margin: 36px 0 8px; }
        p { margin: 8px 0; max-width: 76ch; }
        small, .quiet { color: var(--quiet); font-size: 13px; }
        bdi { overflow-wrap: anywhere; }
        sub { line-height: 0; }
        a { color: var(--accent); }
        .note { background: var(--note); border-radius: 6px; display: table; padding: 4px 12px; }
        .figures { display: grid; gap: 12px; margin: 16px 0; \
        grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); }
        .figures > div { background: var(--raised); border-radius: 8px; padding: 12px 16px; }
        .figures b { font-size: 26px; font-weight: 650; line-height: 1.2; }
        .figures small { display: block; overflow-wrap: anywhere; }
        dl { display: grid; gap: 2px 16px; grid-template-columns: max-content minmax(0, 1fr); \
        margin: 16px 0 0; }
        dt { color: var(--quiet); }
        dd { margin: 0; overflow-wrap: anywhere; }
        summary { cursor: pointer; }
        .worst { margin: 0; padding-left: 24px; }
        .worst li { padding: 2px 0; }
        .worst a { margin-left: 6px; }
        figure { margin: 0; }
        svg text { fill: var(--ink); font-size: 13px; }
        .chart { display: block; height: auto; max-width: 760px; width: 100%; }
        .grid { fill: none; stroke: var(--line); }
        .axis { fill: none; stroke: var(--quiet); }
        .reference { fill: none; stroke: var(--quiet); stroke-dasharray: 5 4; stroke-width: 1.5; }
        .curve { fill: none; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round; \
        stroke-width: 2.5; }
        .node { fill: var(--quiet); }
        .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
        .point { fill: currentColor; fill-opacity: 0.25; stroke: currentColor; }
        .size { fill: none; stroke: var(--quiet); }
        .conv { color: var(--conv); }
        .conv1x1 { color: var(--conv1x1); }
        .depthwise { color: var(--depthwise); }
        .linear { color: var(--linear); }
        .embedding { color: var(--embedding); }
        .other { color: var(--other); }
        .legend { align-items: center; display: flex; flex-wrap: wrap; font-size: 13px; gap: 4px 18px; \
        max-width: 760px; }
        .legend svg { margin-right: 3px; vertical-align: middle; }
        .charts { column-gap: 40px; display: grid; grid-template-columns: minmax(0, 1fr); }
        @media (min-width: 960px) { \
        .charts { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); } }
        .histograms { display: grid; gap: 20px 32px; \
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 310px), 1fr)); }
        .curves { display: grid; gap: 20px 40px; \
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
        .histogram { display: block; height: auto; margin-top: 8px; max-width: 420px; width: 100%; }
        .bar { fill: var(--accent); }
        .even { fill: none; stroke: var(--quiet); stroke-dasharray: 3 3; }
        .track { fill: var(--line); }
        .errorbar { vertical-align: baseline; }
        .error { display: inline-block; font-variant-numeric: tabular-nums; min-width: 58px; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 14px; width: 100%; }
        th, td { border-bottom: 1px solid var(--line); padding: 5px 12px 5px 0; text-align: left; \
        vertical-align: top; white-space: nowrap; }
        th:last-child, td:last-child { padding-right: 4px; }
        thead th { color: var(--quiet); font-size: 13px; font-weight: 500; }
        tbody th { font-weight: 500; max-width: 400px; min-width: 250px; white-space: normal; }
        th small { display: block; font-weight: 400; }
        tfoot th, tfoot td { border-bottom: 0; font-weight: 650; }
        .n { font-variant-numeric: tabular-nums; text-align: right; }
        tr:target { background: var(--note); }
        @media (max-width: 600px) { body { padding: 16px; } .chart text { font-size: 16px; } \
        tbody th { min-width: 150px; } }

        """
}
