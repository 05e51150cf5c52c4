import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Confusion } from '../../api/explore.js';
import { classes } from '../../store/studio.js';
import { ClassMark } from '../../ui/class-mark.js';
import { count, counted } from '../../ui/words.js';

export interface ConfusionCell {
  readonly row: number;
  readonly column: number;
}

export interface ConfusionTableProps {
  readonly confusion: Confusion;
  readonly chosen: ConfusionCell | undefined;
  readonly choose: (cell: ConfusionCell) => void;
}

/** Steps of a cell's colour, by its share of the row. */
const shades = 6;

/** Labels from top to bottom, what they are taken for from left to right. Arrows move, Enter opens a cell. */
export function ConfusionTable({ confusion, chosen, choose }: ConfusionTableProps) {
  const { rows, columns, counts } = confusion;
  const at = useSignal<ConfusionCell>(chosen ?? { row: 0, column: 0 });
  const table = useRef<HTMLTableElement>(null);
  const isOf = (row: number, column: number): boolean => rows[row]?.id === columns[column]?.id;
  const move = (event: KeyboardEvent, row: number, column: number): void => {
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, columns.length - 1],
    }[event.key];
    const [toRow = -1, toColumn = -1] = to ?? [];
    if (to === undefined || toRow < 0 || toColumn < 0) return;
    const next = table.current?.querySelector<HTMLElement>(`[data-cell="${toRow}:${toColumn}"]`);
    if (!next) return;
    event.preventDefault();
    at.value = { row: toRow, column: toColumn };
    next.focus();
  };
  return (
    <div class="confusion-box">
      <table ref={table} class="confusion-table">
        <caption class="visually-hidden">
          Rows: labels. Columns: what the classifier takes them for. Each cell opens its images.
        </caption>
        <thead>
          <tr>
            <td class="small quiet-text">label ╲ taken for</td>
            {columns.map(({ id, name }) => (
              <th key={id} scope="col">
                <Name id={id} name={name} isShort />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, name }, row) => {
            const sum = (counts[row] ?? []).reduce((all, each) => all + each, 0);
            return (
              <tr key={id}>
                <th scope="row">
                  <Name id={id} name={name} />
                </th>
                {columns.map((of, column) => {
                  const value = counts[row]?.[column] ?? 0;
                  const isChosen = chosen?.row === row && chosen.column === column;
                  const shade = value === 0 ? 0 : Math.max(1, Math.round((shades * value) / sum));
                  const isRight = isOf(row, column);
                  return (
                    <td key={of.id}>
                      <button
                        type="button"
                        data-cell={`${row}:${column}`}
                        data-shade={shade}
                        data-right={isRight || undefined}
                        aria-pressed={isChosen}
                        aria-label={`${counted(value, 'image')} labelled ${name}, taken for ${of.name}`}
                        tabIndex={at.value.row === row && at.value.column === column ? 0 : -1}
                        onKeyDown={(event) => move(event, row, column)}
                        onFocus={() => {
                          at.value = { row, column };
                        }}
                        onClick={() => choose({ row, column })}
                      >
                        {value === 0 ? '·' : count(value)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Name of a class; of a column no more than its beginning, where there are many. */
function Name({
  id,
  name,
  isShort = false,
}: {
  readonly id: string;
  readonly name: string;
  readonly isShort?: boolean;
}) {
  const isKnown = classes.value.some((each) => each.id === id);
  const text = isKnown ? <ClassMark label={id} /> : <span class="class-mark class-name">{name}</span>;
  return isShort ? (
    <span class="column-name" title={name}>
      {text}
    </span>
  ) : (
    text
  );
}
